import { sql } from 'kysely';
import type { JobConfig } from '../config.ts';
import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { listed, PayrunError } from '../errors.ts';
import { showInstant } from '../time.ts';
import type { Job } from './define-job.ts';
import { type Jobs, usableNames } from './jobs.ts';
import { hasCome } from './lease.ts';
import { slotsAfter } from './slots.ts';
import type { Work } from './work.ts';

/** Slots that passed longer ago than this are not made up for. */
export const windowDays = 31;

/** One job of one account, and the slots that lie before it. */
export interface Timetable {
  account: Work['account'];
  job: Job;
  settings: JobConfig;
  slots: Generator<Date, void>;
  next: Date | undefined;
  busy: boolean;
  /** Slots that were begun and whose end the database does not know: they are due still. */
  unended: Date[];
  /** Slots that are not made up for, by their milliseconds; it was said. */
  passed: Set<number>;
  /** It was said that the clock of this machine is ahead, or that the database does not answer. */
  isAhead: boolean;
  isBlind: boolean;
}

/**
 * The timetable of every job and account, each beginning behind its last slot in the database. Raises `config-invalid`
 * for a job that does not exist, `job-invalid` where no job is left, and `config-not-applied` for an unknown account.
 */
export async function drawUp(context: Context<Db>, jobs: Jobs): Promise<Timetable[]> {
  const timetables: Timetable[] = [];
  const bad: PayrunError[] = [];
  const now = earlier(context.clock(), await serverNow(context.db));
  for (const [name, settings] of Object.entries(context.config.jobs)) {
    const job = jobs.get(name);
    if (!job) {
      const message = `The configuration schedules a job that does not exist: ${listed(usableNames(jobs))} do.`;
      throw new PayrunError('config-invalid', message, { place: { file: 'payrun.json' }, found: name });
    }
    if (job instanceof PayrunError) {
      bad.push(job);
      context.log.warning({ message: `the job "${name}" is not scheduled until its file is corrected` });
      continue;
    }
    for (const account of await accountsOf(context)) {
      const slots = slotsAfter(
        settings,
        await lastSlot(context.db, { accountId: account.id, job: name, now }),
      );
      const next = slots.next().value ?? undefined;
      timetables.push({ account, job, settings, slots, next, ...awake() });
    }
    const upcoming = slotsAfter(settings, now).next().value;
    const shown = upcoming ? showInstant(upcoming, settings.timezone) : 'never';
    context.log.schedule({ job: name, cron: settings.cron, timezone: settings.timezone, next: shown });
  }
  if (timetables.length === 0 && bad[0]) throw bad[0];
  return timetables;
}

function awake(): Pick<Timetable, 'busy' | 'unended' | 'passed' | 'isAhead' | 'isBlind'> {
  return { busy: false, unended: [], passed: new Set(), isAhead: false, isBlind: false };
}

/** The present by the server's clock, the only one that all runners share. */
export async function serverNow(db: Db): Promise<Date> {
  const found = await db.session(({ client }) =>
    client.query<{ now: Date }>('/* runs.server_now */ select clock_timestamp() as now'),
  );
  return found.rows[0]!.now;
}

/** The earlier of two instants. */
export function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
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
async function lastSlot(
  db: Db,
  { accountId, job, now }: { accountId: number; job: string; now: Date },
): Promise<Date> {
  const { ended, first } = await db.sql
    .selectFrom('run')
    .select([
      sql<Date | null>`max(slot) filter (where status in ('done', 'failed'))`.as('ended'),
      sql<Date | null>`min(slot)`.as('first'),
    ])
    .where('account_id', '=', accountId)
    .where('job', '=', job)
    .where(hasCome)
    .executeTakeFirstOrThrow();
  const last = ended?.getTime() ?? (first ? first.getTime() - 1 : now.getTime());
  return new Date(Math.max(last, now.getTime() - windowDays * 86_400_000));
}

/** Whether the run of a slot has ended, as lastSlot counts it. */
export async function endOf(
  context: Context<Db>,
  accountId: number,
  job: string,
  slot: Date,
): Promise<'ended' | 'none' | 'unbegun'> {
  const runs = await context.db.sql
    .selectFrom('run')
    .select('status')
    .where('account_id', '=', accountId)
    .where('job', '=', job)
    .where('slot', '=', slot)
    .where(hasCome)
    .execute();
  if (runs.length === 0) return 'unbegun';
  return runs.some(({ status }) => status === 'done' || status === 'failed') ? 'ended' : 'none';
}
