import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import type { Db, Session, TransactionOptions } from '../../../src/db/connect.ts';
import { newId } from '../../../src/ids.ts';
import { withInputFile } from '../../../src/imports/files/open.ts';
import type { Landed } from '../../../src/imports/landing.ts';
import { importPeople } from '../../../src/imports/people/people.ts';
import { testWork } from '../../support/work.ts';
import { today, type World } from '../../support/world.ts';

export interface PeopleResult extends Landed {
  /** The rejects file as it stands in the workspace, without its byte order mark. */
  rejected: string | undefined;
}

type Kind = 'affiliates' | 'referrals';

interface Options {
  timezone?: string;
  transaction?: TransactionOptions;
}

/** Imports `text` as a file of affiliates or referrals, in a transaction and a workspace of its own. */
export async function importText(
  world: World,
  kind: Kind,
  text: string,
  options: Options = {},
): Promise<PeopleResult> {
  return world.db.transaction(
    (session) => importInto(session, world, kind, text, options),
    options.transaction,
  );
}

/** The same inside the caller's transaction. */
export async function importInto(
  session: Session,
  world: World,
  kind: Kind,
  text: string,
  options: Options = {},
): Promise<PeopleResult> {
  const workspace = await mkdtemp(path.join(tmpdir(), 'payrun-people-'));
  try {
    const file = path.join(workspace, `${kind}.csv`);
    await writeFile(file, text);
    const { signal } = new AbortController();
    const landed = await withInputFile(file, signal, (input) =>
      importPeople(session, world.mover, kind, {
        file: input,
        importId: newId(today),
        programId: world.programId,
        timezone: options.timezone ?? 'Europe/Berlin',
        progress: { at() {}, done() {} },
        signal,
        work: testWork(world, { workspace }),
        mapping: {},
      }),
    );
    await landed.rejects?.keep();
    const rejects = landed.rejects && (await readFile(path.join(workspace, landed.rejects.shown), 'utf8'));
    return { ...landed, rejected: rejects?.replace('\ufeff', '') };
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

/**
 * Runs `work` while another transaction that did `first` is open, and commits that one as soon as `work` waits for
 * it: what happens when two come at the same moment, made certain.
 */
export async function beforeCommit<T>(
  db: Db,
  first: (session: Session) => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  let underWay: Promise<T> | undefined;
  await db.transaction(async (session) => {
    await first(session);
    let isOver = false;
    underWay = work().finally(() => {
      isOver = true;
    });
    underWay.catch(() => {});
    while (!isOver) {
      // Asked outside of the transaction, in which the server would go on showing what it saw first.
      const waiting = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
        db.sql,
      );
      if (waiting.rows.length > 0) return;
    }
    throw new Error('the work did not wait for the other transaction');
  });
  return underWay!;
}

/** The counts that are not zero; they must add up to the rows read. */
export function ended({ rows, counts }: Landed): Record<string, number> {
  const sum = Object.values(counts).reduce((total, count) => total + count, 0);
  if (sum !== rows) throw new Error(`${rows} rows were read, but ${sum} have ended`);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

/** The rejected rows' line, error and field, as the rejects file gives them. */
export function faults({ rejected }: PeopleResult): string[] {
  const [header, ...lines] = (rejected ?? '').trim().split('\r\n');
  const from = (header ?? '').split(',').indexOf('line');
  return lines.map((line) =>
    line
      .split(',')
      .slice(from, from + 3)
      .join(' '),
  );
}
