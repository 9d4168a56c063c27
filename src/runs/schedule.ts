import { once } from 'node:events';
import cron from 'node-cron';
import pLimit from 'p-limit';
import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { dueSlots } from './due.ts';
import { describeFault, faultOf } from './fault.ts';
import { type Jobs, loadJobs } from './jobs.ts';
import { mayPass, type Pause } from './retry.ts';
import { executeRun } from './run.ts';
import { drawUp, endOf, type Timetable } from './timetable.ts';

export interface ScheduleOptions {
  /** Stops the scheduling; runs under way finish. Aborting the context's own signal interrupts them as well. */
  stop: AbortSignal;
  /** Runs that this process does at a time; each may take four connections of the pool. */
  concurrency?: number;
  pause?: Pause;
}

/**
 * Runs the jobs of the configuration at their slots, for every account, until `stop` aborts and the runs under way
 * have ended. Slots missed since the last run in the database come first, as each job's `missed` says.
 * A job whose file is bad is left out, with a warning. Raises `config-invalid` for a job that does not exist,
 * `job-invalid` where no job is left, and `config-not-applied` for an unknown account.
 */
export async function startScheduler(context: Context<Db>, options: ScheduleOptions): Promise<void> {
  const jobs = await loadJobs(context.config.workspace, context.log);
  const timetables = await drawUp(context, jobs);
  const stop = AbortSignal.any([options.stop, context.signal]);
  const limit = pLimit(options.concurrency ?? 1);
  const underWay = new Set<Promise<void>>();
  /** Those whose slot may have come while they were looked at. */
  const woken = new Set<Timetable>();

  function wake(timetable: Timetable): void {
    if (stop.aborted) return;
    if (timetable.busy) {
      woken.add(timetable);
      return;
    }
    woken.delete(timetable);
    timetable.busy = true;
    const ended = turn(timetable).then((isThrough) => {
      timetable.busy = false;
      underWay.delete(ended);
      // Without a database the slots wait for the next sweep.
      if (isThrough || woken.has(timetable)) wake(timetable);
    });
    underWay.add(ended);
  }

  /** Runs what is due, and returns whether it ran anything, to its end. */
  async function turn(timetable: Timetable): Promise<boolean> {
    const slots = await slotsNow(context, timetable);
    if (slots.length === 0) return false;
    timetable.unended = await limit(() =>
      runSlots(context, timetable, slots, { jobs, stop, pause: options.pause }),
    );
    return timetable.unended.length === 0;
  }

  const tasks = timetables.map((timetable) => {
    const { cron: expression, timezone } = timetable.settings;
    return cron.schedule(expression, () => wake(timetable), { timezone, ...quietly(context) });
  });
  // node-cron passes over a local time that a change of clocks skips, and whatever passed while the machine slept.
  tasks.push(cron.schedule('* * * * *', () => timetables.forEach(wake), quietly(context)));
  timetables.forEach(wake);
  if (!stop.aborted) await once(stop, 'abort');
  for (const task of tasks) await task.destroy();
  context.log.draining({ running: limit.activeCount });
  await Promise.all(underWay);
}

/** As dueSlots; without a database none, until the next sweep. */
async function slotsNow(context: Context<Db>, timetable: Timetable): Promise<Date[]> {
  try {
    const slots = await dueSlots(context, timetable);
    timetable.isBlind = false;
    return slots;
  } catch (cause) {
    if (!timetable.isBlind && !context.signal.aborted) {
      const { message } = describeFault(faultOf(cause, context.signal));
      const job = timetable.job.name;
      context.log.warning({
        message: `the slots of "${job}" can't be looked up, and are tried again within a minute: ${message}`,
      });
    }
    timetable.isBlind = true;
    return [];
  }
}

/**
 * Runs the slots of one timetable one after the other, also when one of them fails. Returns those that are due still,
 * because the database was not there to store how their run ended.
 */
async function runSlots(
  context: Context<Db>,
  { account, job }: Timetable,
  slots: Date[],
  { stop, jobs, pause }: { stop: AbortSignal; jobs: Jobs; pause: Pause | undefined },
): Promise<Date[]> {
  for (const [index, slot] of slots.entries()) {
    if (stop.aborted) return [];
    try {
      const spec = { job: job.name, slot, parameters: {}, asOf: slot, dryRun: false };
      await executeRun(context, account, spec, job, pause ? { jobs, pause } : { jobs });
    } catch (cause) {
      const known = cause instanceof PayrunError ? cause : undefined;
      const isUnended = await endOf(context, account.id, job.name, slot).then(
        (end) => end === 'none' || (end === 'unbegun' && mayPass(cause)),
        () => true,
      );
      if (known?.code === 'already-running' || (known?.code === 'usage' && !isUnended))
        context.log.runSkipped({ job: job.name, account: account.ref, reason: known.message });
      // Every other fault has been logged by the run itself.
      else if (isUnended && !stop.aborted) {
        const message = `how the job "${job.name}" ended could not be stored; it is tried again within a minute`;
        context.log.warning({ message });
        return slots.slice(index);
      }
    }
  }
  return [];
}

/** What node-cron would print goes to the log; stdout is for data. */
function quietly({ log }: Context<Db>) {
  const say = (message: string | Error) => log.warning({ message: String(message) });
  return { suppressMissedWarning: true, logger: { info: () => {}, debug: () => {}, warn: say, error: say } };
}
