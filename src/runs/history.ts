import { type Selectable, sql } from 'kysely';
import type { Db } from '../db/connect.ts';
import type { ImportRow, RunRow } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { parseId } from '../ids.ts';
import { isLeaseOver, isLive, lastHeardAt } from './lease.ts';

/** A run as its row has it, and whether its runner lives; `running` without a live runner means that it died. */
export interface RunRecord extends Selectable<RunRow> {
  live: boolean;
  /** Whether its lease has ended; until then a runner that is silent may come back. */
  lease_over: boolean;
  /** When its runner gave the last sign of life, by the server's clock; they come every ten seconds. */
  last_heard_at: Date;
}

/** A run with everything that happened under it. */
export interface RunHistory {
  run: RunRecord;
  /** The other attempts at the same identity, oldest first. */
  attempts: RunRecord[];
  /** The steps, in the order in which they began. */
  children: RunRecord[];
  /** The files that the run or its steps imported, in the order in which they finished. */
  imports: Selectable<ImportRow>[];
}

/**
 * The latest runs of an account, newest first, at most `limit`, behind the run `after` where it is given: those that are no steps of another, or those of
 * one job, its steps included.
 */
export async function listRuns(
  db: Db,
  accountId: number,
  options: { limit: number; job?: string | undefined; after?: string | undefined },
): Promise<RunRecord[]> {
  const { after } = options;
  const all = records(db, accountId).$if(after !== undefined, (query) =>
    query.where(
      sql<boolean>`(started_at, id) < (
        select started_at, id from run where account_id = ${accountId} and id = ${after}::uuid)`,
    ),
  );
  const runs =
    options.job === undefined ? all.where('parent_id', 'is', null) : all.where('job', '=', options.job);
  return runs.orderBy('started_at', 'desc').orderBy('id', 'desc').limit(options.limit).execute();
}

/** One run, by its id in either form. Raises `usage` when that is no run's id, and `not-found`. */
export async function showRun(db: Db, accountId: number, id: string): Promise<RunHistory> {
  const uuid = parseId('run', id);
  const run = await records(db, accountId).where('id', '=', uuid).executeTakeFirst();
  if (!run) throw new PayrunError('not-found', 'There is no run with this id.', { found: id });
  const attempts = await records(db, accountId)
    .where('job', '=', run.job)
    .where('identity', '=', run.identity)
    .where('id', '<>', run.id)
    .orderBy('attempt')
    .execute();
  const children = await records(db, accountId)
    .where('parent_id', '=', run.id)
    .where('started_at', '>=', run.started_at)
    .orderBy('started_at')
    .orderBy('id')
    .execute();
  const imports = await db.sql
    .selectFrom('import')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('run_id', 'in', [run.id, ...children.map((child) => child.id)])
    .orderBy('finished_at')
    .orderBy('id')
    .execute();
  return { run, attempts, children, imports };
}

function records(db: Db, accountId: number) {
  return db.sql
    .selectFrom('run')
    .selectAll()
    .select([isLive.as('live'), isLeaseOver.as('lease_over'), lastHeardAt.as('last_heard_at')])
    .where('account_id', '=', accountId);
}
