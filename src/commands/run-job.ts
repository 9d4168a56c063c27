import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { showId } from '../ids.ts';
import type { Job } from '../runs/define-job.ts';
import { findJob, loadJobs } from '../runs/jobs.ts';
import { executeRun, type RunOptions, type RunSpec } from '../runs/run.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { showInstant } from '../time.ts';
import { warnOfUnapplied } from './applied.ts';
import { describeOutcome } from './describe-outcome.ts';
import { type Account, withAccount } from './open.ts';
import { readAsOf, zoneOfJob } from './options.ts';
import { type Paint, paragraphs } from './render.ts';
import type { Answer, Shell } from './shell.ts';

export interface RunJobOptions {
  asOf?: string;
  dryRun?: boolean;
}

/**
 * Runs a job by hand for one account and answers with its outcome. `parameters` makes the job's parameters once the
 * job is known. Raises what executeRun raises, `usage` for a wrong time and `not-found` for an unknown job.
 */
export async function runJob(
  shell: Shell,
  name: string,
  { asOf, dryRun = false }: RunJobOptions,
  parameters: (job: Job) => Record<string, unknown> = () => ({}),
): Promise<Answer> {
  return withAccount(shell, async (context, account) => {
    const jobs = await loadJobs(context.config.workspace, context.log);
    const job = findJob(jobs, name);
    const zone = zoneOfJob(context.config, name);
    const spec = { job: name, parameters: parameters(job), asOf: readAsOf(shell, asOf, zone), dryRun };
    await warnOfUnapplied(context);
    return runAndAnswer(context, account, spec, job, { jobs });
  });
}

/**
 * Does `work`, which is no job of the workspace, as a run that is called `name`, so that it is elected, kept in the
 * history and audited like any other. `parameters` are stored with the run.
 */
export async function runWork(
  context: Context<Db>,
  account: Account,
  {
    name,
    parameters,
    dryRun = false,
  }: { name: string; parameters: Record<string, unknown>; dryRun?: boolean },
  work: (work: Work) => Promise<Outcome>,
): Promise<Answer> {
  return runAndAnswer(context, account, { job: name, parameters, asOf: context.clock(), dryRun }, work);
}

async function runAndAnswer(
  context: Context<Db>,
  account: Account,
  spec: RunSpec,
  work: Job | ((work: Work) => Promise<Outcome>),
  options?: RunOptions,
): Promise<Answer> {
  const { job, asOf, dryRun } = spec;
  const result = await executeRun(context, account, spec, work, options);
  if (result.status === 'skipped') throw new Error('A run by hand has no slot.');
  const { status, outcome, exitCode } = result;
  const { counts, totals, report, message } = outcome;
  const run = dryRun ? null : showId('run', result.runId);
  return {
    data: {
      run,
      job,
      account: account.ref,
      as_of: asOf,
      dry_run: dryRun,
      status,
      message,
      counts,
      totals,
      report,
    },
    text: (paint) =>
      paragraphs(
        heading(paint, {
          job,
          status,
          run,
          when: showInstant(asOf, context.config.jobs[job]?.timezone ?? paint.zone),
        }),
        describeOutcome(paint, outcome),
      ),
    exitCode,
  };
}

function heading(
  paint: Paint,
  { job, status, run, when }: { job: string; status: string; run: string | null; when: string },
): string {
  const state = status === 'failed' ? paint.bad(status) : paint.good(status);
  const kept = run === null ? paint.warn('dry run: nothing was kept') : paint.dim(run);
  return `${paint.bold(job)}  ${state}  as of ${when}\n${kept}`;
}
