import type { Context } from '../context.ts';
import { type Db, type Session, throwIfInterrupted } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { mourn } from './bury.ts';
import type { Job } from './define-job.ts';
import { elect, insertRun } from './elect.ts';
import { describeFault, faultOf } from './fault.ts';
import { nameSession, savepoint, settle, settleFailed } from './fence.ts';
import { findJob } from './jobs.ts';
import { type Lease, withLease, withSignOfLife } from './lease.ts';
import { type Code, newRun, newStep, type Run, type RunOptions, type RunSpec } from './new-run.ts';
import { completeOutcome } from './outcome.ts';
import { persevere } from './retry.ts';
import { transaction, transactions } from './transactions.ts';
import type { Outcome, StepResult, Work } from './work.ts';

export type { RunOptions, RunSpec };

export type RunResult<T extends Outcome = Outcome> =
  /** `failed` when the outcome says that a part failed (exit code 1). */
  | { status: 'done' | 'failed'; runId: string; exitCode: 0 | 1 | 3; outcome: T }
  /** The slot has run already. */
  | { status: 'skipped'; runId: string; exitCode: 0; message: string };

/**
 * Runs `work`, a job or a function, once for its identity: elected by its row in `run`, under a lease, tried
 * again while its faults may pass. The outcome is stored with the run, and returned; what the work raises is
 * stored and raised. A dry run does everything in one transaction that is rolled back, and leaves no row.
 * Raises `usage` for parameters that the job does not take, and `already-running`.
 */
export async function executeRun<T extends Outcome = Outcome>(
  context: Context<Db>,
  account: Work['account'],
  spec: RunSpec,
  work: Job | Code<T>,
  options: RunOptions = {},
): Promise<RunResult<T>> {
  const run = newRun(context, account, spec, work, options);
  if (run.dryRun) {
    return persevere(() => withSignOfLife(context, run, () => rehearse(run)), run.retry);
  }
  return withLease(context, run, (lease) => perform({ ...run, lease }, lease));
}

async function perform<T extends Outcome>(run: Run<T>, lease: Lease): Promise<RunResult<T>> {
  const { context, job, account } = run;
  try {
    return await conduct(run, lease);
  } catch (cause) {
    const fault = faultOf(cause, context.signal);
    const told = describeFault(fault);
    if (told.code !== 'already-running') {
      context.log.runFailed({ job, account: account.ref, run: showId('run', run.id), ...told });
    }
    // Without a database the row stays as it is; its session is gone, so the next runner finds it dead.
    await settleFailed(context.db, run, fault, context.clock()).catch(() => {});
    throw fault;
  }
}

/** Election, work and end of one run. */
async function conduct<T extends Outcome>(run: Run<T>, lease: Lease): Promise<RunResult<T>> {
  const { context, job, account } = run;
  const election = await persevere(async () => {
    await lease.open();
    return elect(context.db, run);
  }, run.retry);
  if (!election.elected) {
    const message = `This slot of ${job} has run already, as ${showId('run', election.runId)}.`;
    context.log.runSkipped({ job, account: account.ref, reason: message });
    return { status: 'skipped', runId: election.runId, exitCode: 0, message };
  }
  run.attempt = election.attempt;
  const told = { job, account: account.ref, run: showId('run', run.id) };
  mourn(context.log, election.buried);
  context.log.runStarted({ ...told, attempt: run.attempt });
  const outcome = await persevere((attempt) => doWork(run, lease, attempt), run.retry);
  await persevere(() => settle(context.db, run, outcome, context.clock()), run.retry);
  const result = resultOf(run, outcome);
  const milliseconds = context.clock().getTime() - run.startedAt.getTime();
  context.log.runFinished({ ...told, status: result.status, milliseconds });
  return result;
}

/** One attempt at the work; what earlier ones have committed counts as well. */
async function doWork<T extends Outcome>(run: Run<T>, lease: Lease, attempt: number): Promise<T> {
  if (attempt > 1) await lease.renew();
  const outcome = await run.code(workOf(run));
  return completeOutcome(run.kept, outcome);
}

async function rehearse<T extends Outcome>(run: Run<T>): Promise<RunResult<T>> {
  const rehearsing = (rehearsal: Session) => rehearseIn({ ...run, rehearsal }, rehearsal);
  try {
    return await run.context.db.transaction(rehearsing, { rollback: true });
  } finally {
    for (const tidy of run.untidy.splice(0)) await tidy();
  }
}

async function rehearseIn<T extends Outcome>(run: Run<T>, session: Session): Promise<RunResult<T>> {
  await nameSession(session, run);
  await insertRun(session, run, run.attempt, run.startedAt);
  const outcome = await run.code(workOf(run));
  return resultOf(run, completeOutcome(run.kept, outcome));
}

function workOf<T extends Outcome>(run: Run<T>): Work {
  return {
    context: run.context,
    account: run.account,
    runId: run.id,
    job: run.job,
    asOf: run.asOf,
    dryRun: run.dryRun,
    transaction: (work) => transaction(run, work),
    transactions: (parts) => transactions(run, parts),
    afterwards: async (tidy) => {
      if (run.rehearsal) run.untidy.push(tidy);
      else await tidy();
    },
    step: (job, parameters = {}) => step(run, job, parameters),
  };
}

async function step(parent: Run, job: string, parameters: Record<string, unknown>): Promise<StepResult> {
  const { context, lease, rehearsal } = parent;
  throwIfInterrupted(context.signal);
  let runId: string | undefined;
  try {
    const run = newStep(parent, findJob(await parent.jobs(), job), parameters);
    runId = run.id;
    const result = rehearsal
      ? await savepoint(rehearsal, (session) => rehearseIn(run, session))
      : await perform(run, lease!);
    if (result.status === 'skipped') throw new Error('A step has no slot.');
    return {
      job,
      runId,
      exitCode: result.exitCode,
      outcome: result.outcome,
      message: result.outcome.message,
    };
  } catch (cause) {
    const fault = faultOf(cause, context.signal);
    const known = fault instanceof PayrunError ? fault : undefined;
    if (known?.code === 'interrupted' || known?.code === 'lease-lost') throw known;
    const { message } = describeFault(fault);
    return { job, runId, exitCode: known?.exitCode ?? 1, outcome: undefined, message };
  }
}

function resultOf<T extends Outcome>(run: Run<T>, outcome: T): RunResult<T> {
  const exitCode = outcome.exitCode ?? 0;
  return { status: exitCode === 1 ? 'failed' : 'done', runId: run.id, exitCode, outcome };
}
