import { once } from 'node:events';
import { sql } from 'kysely';
import cron from 'node-cron';
import pLimit from 'p-limit';
import type { JobConfig } from '../config.ts';
import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showInstant } from '../time.ts';
import type { Job } from './define-job.ts';
import { type Jobs, loadJobs, usableNames } from './jobs.ts';
import type { Pause } from './retry.ts';
import { executeRun } from './run.ts';
import { slotsAfter } from './slots.ts';
import type { Work } from './work.ts';

export interface ScheduleOptions {
  /** Stops the scheduling; runs under way finish. Aborting the context's own signal interrupts them as well. */
  stop: AbortSignal;
  /** Runs that this process does at a time; each may take four connections of the pool. */
  concurrency?: number;
  pause?: Pause;
}

/** Slots that passed longer ago than this are not made up for. */
const windowDays = 31;

/** A slot is on time, and not missed, for two minutes: the sweep that finds it comes once a minute. */
const onTimeMilliseconds = 120_000;

/** One job of one account, and the slots that lie before it. */
interface Timetable {
  account: Work['account'];
  job: Job;
  settings: JobConfig;
  slots: Generator<Date, void>;
  next: Date | undefined;
  busy: boolean;
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

  function wake(timetable: Timetable): void {
    if (timetable.busy || stop.aborted) return;
    const slots = dueSlots(context, timetable);
    if (slots.length === 0) return;
    timetable.busy = true;
    const runs = limit(() => runSlots(context, timetable, slots, { jobs, stop, pause: options.pause }));
    underWay.add(runs);
    void runs.finally(() => {
      timetable.busy = false;
      underWay.delete(runs);
      wake(timetable);
    });
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

/** The timetable of every job and account, each beginning behind its last slot in the database. */
async function drawUp(context: Context<Db>, jobs: Jobs): Promise<Timetable[]> {
  const timetables: Timetable[] = [];
  const bad: PayrunError[] = [];
  for (const [name, settings] of Object.entries(context.config.jobs)) {
    const job = jobs.get(name);
    if (!job) {
      const message = `The configuration schedules a job that does not exist: ${usableNames(jobs).join(', ')} do.`;
      throw new PayrunError('config-invalid', message, { place: { file: 'payrun.json' }, found: name });
    }
    if (job instanceof PayrunError) {
      bad.push(job);
      context.log.warning({ message: `the job "${name}" is not scheduled until its file is corrected` });
      continue;
    }
    for (const account of await accountsOf(context)) {
      const slots = slotsAfter(settings, await lastSlot(context, account.id, name));
      const next = slots.next().value ?? undefined;
      timetables.push({ account, job, settings, slots, next, busy: false });
    }
    const upcoming = slotsAfter(settings, context.clock()).next().value;
    const shown = upcoming ? showInstant(upcoming, settings.timezone) : 'never';
    context.log.schedule({ job: name, cron: settings.cron, timezone: settings.timezone, next: shown });
  }
  if (timetables.length === 0 && bad[0]) throw bad[0];
  return timetables;
}

async function accountsOf(context: Context<Db>): Promise<Work['account'][]> {
  const refs = context.config.accounts.map((account) => account.ref);
  const accounts = await context.db.sql
    .selectFrom('account')
    .select(['account_id as id', 'ref'])
    .where('ref', 'in', refs)
    .orderBy('account_id')
    .execute();
  const missing = refs.find((ref) => !accounts.some((account) => account.ref === ref));
  if (missing === undefined) return accounts;
  throw new PayrunError('config-not-applied', 'The database does not have this account yet.', {
    found: missing,
  });
}

/** The instant behind which slots count as missed: the last that ended, or now for a job that never had one. */
async function lastSlot(context: Context<Db>, accountId: number, job: string): Promise<Date> {
  const now = context.clock();
  const { ended, first } = await context.db.sql
    .selectFrom('run')
    .select([
      sql<Date | null>`max(slot) filter (where status in ('done', 'failed'))`.as('ended'),
      sql<Date | null>`min(slot)`.as('first'),
    ])
    .where('account_id', '=', accountId)
    .where('job', '=', job)
    .executeTakeFirstOrThrow();
  const last = ended?.getTime() ?? (first ? first.getTime() - 1 : now.getTime());
  return new Date(Math.max(last, now.getTime() - windowDays * 86_400_000));
}

/** Takes the slots that have come from the timetable, and returns those that are to run. */
function dueSlots(context: Context<Db>, timetable: Timetable): Date[] {
  const now = context.clock();
  const due: Date[] = [];
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

/** Runs the slots of one timetable one after the other, also when one of them fails. */
async function runSlots(
  context: Context<Db>,
  { account, job }: Timetable,
  slots: Date[],
  { stop, jobs, pause }: { stop: AbortSignal; jobs: Jobs; pause: Pause | undefined },
): Promise<void> {
  for (const slot of slots) {
    if (stop.aborted) return;
    try {
      const spec = { job: job.name, slot, parameters: {}, asOf: slot, dryRun: false };
      await executeRun(context, account, spec, job, pause ? { jobs, pause } : { jobs });
    } catch (cause) {
      // Every other fault has been logged by the run itself.
      if (!(cause instanceof PayrunError && cause.code === 'already-running')) continue;
      context.log.runSkipped({ job: job.name, account: account.ref, reason: cause.message });
    }
  }
}

/** What node-cron would print goes to the log; stdout is for data. */
function quietly({ log }: Context<Db>) {
  const say = (message: string | Error) => log.warning({ message: String(message) });
  return { suppressMissedWarning: true, logger: { info: () => {}, debug: () => {}, warn: say, error: say } };
}
