import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { sql } from 'kysely';
import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { firstIdOf, readId, showId } from '../ids.ts';

/** Of a run that the database does not know, a rehearsal or one of another database. */
const dayInMilliseconds = 86_400_000;

/** A name for a file that this run is still writing; what it begins with, if anything, says what it is to be. */
export function temporaryName(runId: string, what = ''): string {
  return `.${what}${showId('run', runId)}.${randomBytes(6).toString('hex')}.part`;
}

/**
 * The names of the temporary files in `folder` that nobody will finish: the run that was writing them has ended, so it
 * can't commit any more, however alive its process may be. Of a run that is not known, when they are a day old.
 * A folder that can't be read has none; whoever needs it is told so.
 */
export async function abandonedFiles(
  { config, db, clock }: Pick<Context<Db>, 'config' | 'db' | 'clock'>,
  folder: string,
): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const found = names.flatMap((name) => {
    const run = readId(/^\..*(run_[0-9a-z]{26})\.[0-9a-f]{12}\.part$/.exec(name)?.[1] ?? '')?.id;
    return run === undefined ? [] : [{ name, run }];
  });
  if (found.length === 0) return [];
  const accounts = config.accounts.map(({ ref }) => ref);
  const known = await sql<{ id: string; status: string }>`/* runs.of_leftovers */
    select run.id, run.status from run join account using (account_id)
    where account.ref = any(${accounts}) and run.id = any(${found.map(({ run }) => run)}::uuid[])`.execute(
    db.sql,
  );
  const statuses = new Map(known.rows.map(({ id, status }) => [id, status]));
  const yesterday = firstIdOf(new Date(clock().getTime() - dayInMilliseconds));
  return found
    .filter(({ run }) => (statuses.has(run) ? statuses.get(run) !== 'running' : run < yesterday))
    .map(({ name }) => name);
}
