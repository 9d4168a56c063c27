import type { Context } from '../context.ts';
import type { Db, Session } from '../db/connect.ts';
import { newId } from '../ids.ts';
import { rehearserOf, runnerOf } from './bury.ts';
import { checkParameters, type Job } from './define-job.ts';
import type { Candidate } from './elect.ts';
import { describeFault } from './fault.ts';
import { identityOf, type RunSubject } from './identity.ts';
import { type Jobs, loadJobs } from './jobs.ts';
import type { Lease } from './lease.ts';
import type { Pause, RetryOptions } from './retry.ts';
import type { Outcome, Work } from './work.ts';

/** What a run is asked for. */
export interface RunSpec extends RunSubject {
  job: string;
  dryRun: boolean;
}

export interface RunOptions {
  /** The jobs that steps may name; loaded from the workspace when a step asks for one. */
  jobs?: Jobs;
  pause?: Pause;
}

export type Code<T extends Outcome> = (work: Work) => Promise<T>;

/** A run under way. */
export interface Run<T extends Outcome = Outcome> extends Candidate {
  context: Context<Db>;
  account: Work['account'];
  dryRun: boolean;
  code: Code<T>;
  attempt: number;
  /** The sum of what its transactions have committed. */
  kept: Outcome | undefined;
  /** How many of its transactions are committed. */
  commits: number;
  /**
   * Ends when the last of its transactions that has come to its end is committed or rolled back; raises
   * `commit-unknown` when nobody can tell which.
   */
  committing: Promise<void>;
  /** The moment of the latest transaction of the run and its steps, in milliseconds. */
  moment: { last: number };
  /** The lease that it shares with its steps; a dry run needs none. */
  lease: Lease | undefined;
  /** The one transaction of a dry run and all its steps, rolled back in the end. */
  rehearsal: Session | undefined;
  /** What is to be tidied up when that was rolled back. */
  untidy: (() => Promise<void>)[];
  retry: RetryOptions;
  /** Every job that a step may name. */
  jobs(): Promise<Jobs>;
}

/** Jobs whose runs may overlap: the ledger decides about each row of a file. */
const overlapping = new Set(['import-file']);

/** A run that has not begun, under an id of its own. Raises `usage` for parameters that the job does not take. */
export function newRun<T extends Outcome>(
  context: Context<Db>,
  account: Work['account'],
  spec: RunSpec,
  work: Job | Code<T>,
  options: RunOptions,
): Run<T> {
  const id = newId(context.clock());
  let jobs: Jobs | Promise<Jobs> | undefined;
  return {
    accountId: account.id,
    id,
    job: spec.job,
    identity: spec.dryRun ? `dry run ${id}` : identityOf(spec),
    slot: spec.slot ?? null,
    parentId: spec.parentId ?? null,
    parameters: spec.parameters,
    asOf: spec.asOf,
    runner: spec.dryRun ? rehearserOf(id) : runnerOf(id),
    startedAt: context.clock(),
    mayOverlap: overlapping.has(spec.job),
    context,
    account,
    dryRun: spec.dryRun,
    code: codeOf(work, spec.parameters),
    attempt: 1,
    kept: undefined,
    commits: 0,
    committing: Promise.resolve(),
    moment: { last: 0 },
    lease: undefined,
    rehearsal: undefined,
    untidy: [],
    retry: retryOptions(context, account, spec.job, options.pause),
    jobs: async () => {
      jobs ??= options.jobs ?? loadJobs(context.config.workspace, context.log);
      return jobs;
    },
  };
}

/** A run of `job` below `parent`: same account, moment, lease and transaction, and the same jobs to choose from. */
export function newStep(parent: Run, job: Job, parameters: Record<string, unknown>): Run {
  const { context, account, asOf, dryRun } = parent;
  const spec: RunSpec = { job: job.name, parameters, asOf, dryRun, parentId: parent.id };
  return {
    ...newRun<Outcome>(context, account, spec, job, { pause: parent.retry.pause }),
    runner: parent.runner,
    moment: parent.moment,
    lease: parent.lease,
    rehearsal: parent.rehearsal,
    untidy: parent.untidy,
    jobs: parent.jobs,
  };
}

function codeOf<T extends Outcome>(work: Job | Code<T>, raw: Record<string, unknown>): Code<T> {
  if (typeof work === 'function') return work;
  const parameters = checkParameters(work, raw);
  return (given) => work.run(given, parameters) as Promise<T>;
}

function retryOptions(
  { signal, log }: Context<Db>,
  account: Work['account'],
  job: string,
  pause: Pause | undefined,
): RetryOptions {
  return {
    signal,
    pause,
    onRetry(attempt, waitMilliseconds, fault) {
      const { message } = describeFault(fault);
      log.runRetried({ job, account: account.ref, attempt, waitMilliseconds, message });
    },
  };
}
