import { once } from 'node:events';
import cron from 'node-cron';
import pLimit from 'p-limit';
import type { JobConfig } from '../config.ts';
import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
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

/** A slot is on time, and not missed, for two minutes: the sweep that finds it comes once a minute. */
const onTimeMilliseconds = 120_000;

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

  function wake(timetable: Timetable): void {
    if (timetable.busy || stop.aborted) return;
    const slots = dueSlots(context, timetable);
    if (slots.length === 0) return;
    timetable.busy = true;
    const runs = limit(() => runSlots(context, timetable, slots, { jobs, stop, pause: options.pause }));
    const ended = runs.then((unended) => {
      timetable.busy = false;
      timetable.unended = unended;
      underWay.delete(ended);
      // Without a database they wait for the next sweep.
      if (unended.length === 0) wake(timetable);
    });
    underWay.add(ended);
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

/** Takes the slots that have come from the timetable, and returns those that are to run. */
function dueSlots(context: Context<Db>, timetable: Timetable): Date[] {
  const now = context.clock();
  const due = timetable.unended.splice(0);
  while (timetable.next && timetable.next <= now) {
    due.push(timetable.next);
    timetable.next = timetable.slots.next().value ?? undefined;
  }
  const chosen = chooseSlots(timetable.settings.missed, due, now);
  const left = due.length - chosen.length;
  if (left > 0) {
    const slots = left === 1 ? 'a slot was missed and is' : `${left} slots were missed and are`;
    const reason = `${slots} not made up for, as "missed": "${timetable.settings.missed}" says`;
    context.log.runSkipped({ job: timetable.job.name, account: timetable.account.ref, reason });
  }
  return chosen;
}

/** Which of the slots that have come are run: all, the latest, or with `none` the latest if it is on time. */
export function chooseSlots(missed: JobConfig['missed'], due: Date[], now: Date): Date[] {
  if (missed === 'all') return due;
  const latest = due.slice(-1);
  if (missed === 'latest') return latest;
  return latest.filter((slot) => now.getTime() - slot.getTime() <= onTimeMilliseconds);
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
