import type { Session } from '../db/connect.ts';
import type { RunStatus } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { assertBalanced, hasTouchedBooks } from '../ledger/audit.ts';
import { describeFault } from './fault.ts';
import { jsonText } from './identity.ts';
import { workSessionOf } from './lease.ts';
import { addOutcomes } from './outcome.ts';
import type { Outcome } from './work.ts';

/** What every write of a run is guarded by: the row is still running, and under this attempt. */
export interface Fence {
  accountId: number;
  id: string;
  attempt: number;
  runner: string;
}

/**
 * Does `work` in the session's transaction, then audits the account's books if it has touched them, waits for its
 * `turn` to commit, and stores what the run has kept by then plus the work's outcome with the run. Raises `books-adrift`
 * or `lease-lost`; the transaction must then be rolled back.
 */
export async function workFenced<T extends Outcome>(
  session: Session,
  fence: Fence,
  turn: () => Promise<Outcome | undefined>,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  await session.client.query("/* runs.work */ select set_config('application_name', $1, true)", [
    workSessionOf(fence.runner),
  ]);
  const outcome = await work(session);
  if (await hasTouchedBooks(session)) await assertBalanced(session, fence.accountId);
  await update(session, fence, outcomeColumns(addOutcomes(await turn(), outcome)));
  return outcome;
}

/** Ends a run whose work came to an outcome. Raises `lease-lost` when the run is no longer this runner's. */
export async function settle(
  session: Pick<Session, 'sql'>,
  fence: Fence,
  outcome: Outcome,
  now: Date,
): Promise<void> {
  const failed = outcome.exitCode === 1;
  await update(session, fence, {
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
  await update(session, fence, {
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
}

function outcomeColumns(outcome: Outcome): Columns {
  return {
    counts: jsonText(outcome.counts),
    totals: jsonText(outcome.totals),
    report: outcome.report === undefined ? null : jsonText(outcome.report),
  };
}

async function update(session: Pick<Session, 'sql'>, fence: Fence, columns: Columns): Promise<void> {
  const updated = await session.sql
    .updateTable('run')
    .set(columns)
    .where('account_id', '=', fence.accountId)
    .where('id', '=', fence.id)
    .where('attempt', '=', fence.attempt)
    .where('status', '=', 'running')
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) {
    throw new PayrunError('lease-lost', 'Another runner has taken this run over.');
  }
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
