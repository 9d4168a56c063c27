import type { Session } from '../db/connect.ts';
import type { RunStatus } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { assertMoved } from '../ledger/audit.ts';
import type { Mover } from '../ledger/journal.ts';
import { workSessionOf } from './bury.ts';
import { describeFault } from './fault.ts';
import { jsonText } from './identity.ts';
import { addOutcomes } from './outcome.ts';
import type { Outcome, Part } from './work.ts';

/** What every write of a run is guarded by: the row is still running, and under this attempt. */
export interface Fence {
  accountId: number;
  id: string;
  attempt: number;
  runner: string;
}

/** What the transactions of a run have committed: their sum, and how many they are. */
export interface Kept {
  kept: Outcome | undefined;
  commits: number;
}

/** Names the session after the runner until its transaction ends, and returns the id of its process in the server. */
export async function nameSession(session: Session, fence: Fence): Promise<number> {
  const named = await session.client.query<{ pid: number }>(
    "/* runs.work */ select set_config('application_name', $1, true), pg_backend_pid() as pid",
    [workSessionOf(fence.runner)],
  );
  return named.rows[0]!.pid;
}

/**
 * Does `work` in the session's transaction, then proves what `mover` has moved in it, waits for its
 * `turn` to commit, and stores what the run has kept by then plus the work's outcome with the run. Raises `books-adrift`
 * or `lease-lost`; the transaction must then be rolled back.
 */
export async function workFenced<T extends Outcome>(
  session: Session,
  fence: Fence,
  mover: Mover,
  turn: () => Promise<Kept>,
  work: Part<T>,
): Promise<T> {
  const outcome = await work(session, mover);
  await assertMoved(session, mover);
  const { kept, commits } = await turn();
  const columns = { ...outcomeColumns(addOutcomes(kept, outcome)), commits: commits + 1 };
  if (!(await update(session, fence, columns))) throw leaseLost();
  return outcome;
}

/**
 * Whether a transaction of the run is committed, asked of the run's own row when the answer to the commit was lost:
 * it was the run's commit number `commits`, on the server's process `pid`. A commit that the server is still at is
 * waited for; one that has not come to it yet is ended, so that it can't come later.
 */
export async function hasCommitted(
  session: Session,
  fence: Fence,
  { commits, pid }: { commits: number; pid: number },
): Promise<boolean> {
  await session.client.query(
    `/* runs.end_session */ select pg_terminate_backend(pid) from pg_stat_activity
     where pid = $1 and application_name = $2 and datname = current_database() and state like 'idle in transaction%'`,
    [pid, workSessionOf(fence.runner)],
  );
  const row = await session.sql
    .selectFrom('run')
    .select('commits')
    .where('account_id', '=', fence.accountId)
    .where('id', '=', fence.id)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined && row.commits >= commits;
}

/**
 * Ends a run whose work came to an outcome; does nothing when it has ended so already, because the answer to an
 * earlier attempt at this was lost. Raises `lease-lost` when the run is no longer this runner's.
 */
export async function settle(
  session: Pick<Session, 'sql'>,
  fence: Fence,
  outcome: Outcome,
  now: Date,
): Promise<void> {
  const failed = outcome.exitCode === 1;
  await end(session, fence, {
    ...outcomeColumns(outcome),
    status: failed ? 'failed' : 'done',
    error: failed ? jsonText({ code: 'part-failed', message: outcome.message ?? 'A part failed.' }) : null,
    finished_at: now,
  });
}

/** Ends a run that raised `fault`; what its transactions have stored stays. Raises `lease-lost` likewise. */
export async function settleFailed(
  session: Pick<Session, 'sql'>,
  fence: Fence,
  fault: unknown,
  now: Date,
): Promise<void> {
  const interrupted = fault instanceof PayrunError && fault.code === 'interrupted';
  await end(session, fence, {
    status: interrupted ? 'interrupted' : 'failed',
    error: jsonText(describeFault(fault)),
    finished_at: now,
  });
}

interface Columns {
  status?: RunStatus;
  counts?: string;
  totals?: string;
  report?: string | null;
  error?: string | null;
  finished_at?: Date;
  commits?: number;
}

function outcomeColumns(outcome: Outcome): Columns {
  return {
    counts: jsonText(outcome.counts),
    totals: jsonText(outcome.totals),
    report: outcome.report === undefined ? null : jsonText(outcome.report),
  };
}

async function end(
  session: Pick<Session, 'sql'>,
  fence: Fence,
  columns: Columns & { status: RunStatus },
): Promise<void> {
  if (await update(session, fence, columns)) return;
  const row = await session.sql
    .selectFrom('run')
    .select('status')
    .where('account_id', '=', fence.accountId)
    .where('id', '=', fence.id)
    .executeTakeFirst();
  if (row?.status !== columns.status) throw leaseLost();
}

/** Returns whether the run is still this runner's. */
async function update(session: Pick<Session, 'sql'>, fence: Fence, columns: Columns): Promise<boolean> {
  const updated = await session.sql
    .updateTable('run')
    .set(columns)
    .where('account_id', '=', fence.accountId)
    .where('id', '=', fence.id)
    .where('attempt', '=', fence.attempt)
    .where('status', '=', 'running')
    .executeTakeFirst();
  return updated.numUpdatedRows > 0n;
}

function leaseLost(): PayrunError {
  return new PayrunError('lease-lost', 'Another runner has taken this run over.');
}

/**
 * Does `work` within the session's transaction, and undoes it alone when it raises: how a dry run, which is one
 * transaction, goes on after a step that failed.
 */
export async function savepoint<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  await session.client.query('savepoint step');
  try {
    const result = await work(session);
    await session.client.query('release savepoint step');
    return result;
  } catch (cause) {
    await session.client.query('rollback to savepoint step');
    await session.client.query('release savepoint step');
    throw cause;
  }
}
