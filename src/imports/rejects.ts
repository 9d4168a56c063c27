import { access, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { makeFolder, syncFolder, writeNew } from '../disk.ts';
import { readId, showId } from '../ids.ts';
import { abandonedFiles, temporaryName } from '../runs/leftovers.ts';
import type { Work } from '../runs/work.ts';
import { folderFault } from '../system-fault.ts';

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
  /**
   * Gives it its name. Its import is in the database by then and must not count as failed: where that can't be done, a
   * later import does it, and the sentence that says so is returned.
   */
  keep(): Promise<string | undefined>;
  discard(): Promise<undefined>;
}

/**
 * Writes `chunks` to a new rejects file of an import and brings it safely to disk. Raises
 * `no-permission`, `disk-full` and the like.
 */
export async function writeRejects(
  { context, runId }: Pick<Work, 'context' | 'runId'>,
  importId: string,
  extension: 'csv' | 'ndjson',
  chunks: AsyncIterable<string | Buffer>,
): Promise<RejectsFile> {
  const { workspace, file_mode: fileMode } = context.config;
  const folder = path.join(workspace, 'rejects');
  const name = `${showId('import', importId)}.${extension}`;
  const part = path.join(folder, temporaryName(runId, `${name}.`));
  try {
    await makeFolder(folder, fileMode);
    await writeNew(part, fileMode, async (handle) => {
      for await (const chunk of chunks) await handle.writeFile(chunk);
    });
  } catch (cause) {
    throw folderFault(cause, { name: 'rejects/', folder });
  }
  return {
    shown: `rejects/${name}`,
    async keep() {
      try {
        await nameRejects(part, path.join(folder, name));
        await syncFolder(folder);
        return undefined;
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        return `rejects/${name} is complete, but could not get its name (${code}); the next import tries again`;
      }
    },
    async discard() {
      await rm(part, { force: true });
      return undefined;
    },
  };
}

/**
 * Settles rejects files of runs that were killed: those whose import is in the database get their name, the others
 * go once their run has ended, because nothing of their import was kept. What can't be done now the next import does.
 */
export async function settleRejects(context: Work['context']): Promise<void> {
  const { workspace } = context.config;
  const folder = path.join(workspace, 'rejects');
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, final = '', shownId = ''] = /^\.((imp_[0-9a-z]{26})\.\w+)\.run_.*\.part$/.exec(name) ?? [];
    const id = readId(shownId)?.id;
    if (id !== undefined && (await isKnown(context, id)))
      await nameRejects(path.join(folder, name), path.join(folder, final)).catch(() => {});
  }
  for (const name of await abandonedFiles(context, folder))
    await rm(path.join(folder, name), { force: true });
}

async function isKnown({ config, db }: Work['context'], importId: string): Promise<boolean> {
  const found = await db.sql
    .selectFrom('account')
    .innerJoin('import', 'import.account_id', 'account.account_id')
    .select('import.id')
    .where(
      'account.ref',
      'in',
      config.accounts.map(({ ref }) => ref),
    )
    .where('import.id', '=', importId)
    .executeTakeFirst();
  return found !== undefined;
}

/** Whoever else settles the folder meanwhile may have given the file its name already. */
async function nameRejects(part: string, target: string): Promise<void> {
  await rename(part, target).catch(async (cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    await access(target);
  });
}
