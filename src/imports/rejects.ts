import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sql } from 'kysely';
import type { Db, Session } from '../db/connect.ts';
import { readId, showId } from '../ids.ts';

/** A row that the ledger sent back: the record's number, its line and what is wrong with it. */
export interface Outcome {
  n: number;
  line: number;
  verdict: string;
  code: string;
  field: string;
  found: string;
}

const page = 5_000;

/** The rows of one verdict in file order, read in pages so that millions of them need no memory. */
export async function* outcomes(session: Session, verdict: 'rejected' | 'parked'): AsyncGenerator<Outcome> {
  for (let after = 0; ; ) {
    const rows = await sql<Outcome>`/* imports.outcomes */
      select n, line, verdict, code, coalesce(field, '') as field, coalesce(found, '') as found
      from outcome where verdict = ${verdict} and n > ${after} order by n limit ${page}`.execute(session.sql);
    yield* rows.rows;
    if (rows.rows.length < page) return;
    after = rows.rows.at(-1)!.n;
  }
}

/** The records of `groups` that `found` names, each with what is wrong with it; both are in file order. */
export async function* matched<R extends { n: number }>(
  groups: AsyncIterable<R[]>,
  found: AsyncGenerator<Outcome>,
): AsyncGenerator<{ record: R; outcome: Outcome }> {
  let next = await found.next();
  for await (const group of groups) {
    for (const record of group) {
      if (next.done) return;
      if (record.n !== next.value.n) continue;
      yield { record, outcome: next.value };
      next = await found.next();
    }
    if (next.done) return;
  }
}

/** A rejects file in the making: complete on disk, and given its name only once its import is in the database. */
export interface RejectsFile {
  /** The path to show, from the workspace. */
  shown: string;
  /** What a person should know of it: a sentence for the report. */
  note?: string;
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** Writes `chunks` to a new rejects file of an import and brings it safely to disk. */
export async function writeRejects(
  workspace: string,
  importId: string,
  extension: 'csv' | 'ndjson',
  chunks: AsyncIterable<string | Buffer>,
): Promise<RejectsFile> {
  const folder = path.join(workspace, 'rejects');
  await mkdir(folder, { recursive: true });
  const name = `${showId('import', importId)}.${extension}`;
  const part = path.join(folder, `.${name}.part`);
  await pipeline(chunks, createWriteStream(part, { mode: 0o600 }));
  await syncPath(part);
  return {
    shown: `rejects/${name}`,
    async keep() {
      await rename(part, path.join(folder, name));
      await syncPath(folder);
    },
    discard: () => rm(part, { force: true }),
  };
}

/**
 * Settles rejects files of runs that were killed: those whose import is in the database get their name, the others
 * go after a day, because nothing of their import was kept.
 */
export async function settleRejects(db: Db, workspace: string, now: Date): Promise<void> {
  const folder = path.join(workspace, 'rejects');
  for (const name of await readdir(folder).catch(() => [])) {
    const match = /^\.((imp_[0-9a-z]{26})\.\w+)\.part$/.exec(name);
    const id = match ? readId(match[2]!)?.id : undefined;
    if (!match || !id) continue;
    const part = path.join(folder, name);
    const age = now.getTime() - Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
    const known = await db.sql.selectFrom('import').select('id').where('id', '=', id).executeTakeFirst();
    if (known) await rename(part, path.join(folder, match[1]!)).catch(() => {});
    else if (age > 86_400_000) await rm(part, { force: true });
  }
}

async function syncPath(target: string): Promise<void> {
  const handle = await open(target);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
