import { databaseFault } from '../db/fault.ts';
import { PayrunError } from '../errors.ts';
import type { Job } from './define-job.ts';
import { mayPass } from './retry.ts';
import type { Outcome } from './work.ts';

/**
 * A job of the user's own, out of `file`: what its code raises is no defect of Payrun's but `job-failed`, with the
 * job, the file and the error's own words. Faults that Payrun knows, or that may pass, stay as they are.
 */
export function ownJob(job: Job, file: string): Job {
  const { name, summary, parameters } = job;
  const fail = (what: string, cause?: unknown) =>
    new PayrunError('job-failed', `The job "${name}" ${what}`, { place: { file }, cause });
  return {
    name,
    summary,
    parameters,
    async run(work, given) {
      let outcome: Outcome | undefined;
      try {
        outcome = await job.run(work, given);
      } catch (cause) {
        if (work.context.signal.aborted || databaseFault(cause) instanceof PayrunError || mayPass(cause))
          throw cause;
        throw fail(`raised an error: ${wordsOf(cause)}`, cause);
      }
      if (outcome?.counts && outcome.totals) return outcome;
      throw fail('returned no outcome: it must have counts and totals, such as { counts: {}, totals: {} }.');
    },
  };
}

/** The database's words may quote rows, unless they are about the statement itself (SQLSTATE class 42). */
function wordsOf(cause: unknown): string {
  const { name, message, code, severity } = (cause ?? {}) as Partial<Record<string, unknown>>;
  if (severity !== undefined && !String(code).startsWith('42')) return `the database says ${String(code)}`;
  const text = cause instanceof Error ? `${String(name)}: ${String(message)}` : String(cause);
  return text.replaceAll(/\s+/g, ' ');
}
