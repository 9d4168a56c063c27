import { sql } from 'kysely';
import type { JobConfig } from '../config.ts';
import type { Context } from '../context.ts';
import type { Db } from '../db/connect.ts';
import { showDuration } from '../time.ts';
import { hasCome, isLive } from './lease.ts';
import { earlier, serverNow, type Timetable, windowDays } from './timetable.ts';

/** A slot is on time, and not missed, for two minutes: the sweep that finds it comes once a minute. */
const onTimeMilliseconds = 120_000;

/**
 * Takes the slots that have come from the timetable, by the clock of this machine and by the server's, together with
 * those whose run was lost, whoever ran them; returns the ones that are to run, in order. What is not made up for is
 * said once. Raises `database-unreachable`, and then takes none.
 */
export async function dueSlots(context: Context<Db>, timetable: Timetable): Promise<Date[]> {
  const { settings, job, account } = timetable;
  const there = await serverNow(context.db);
  warnOfClock(context, timetable, there);
  const now = earlier(context.clock(), there);
  const lost = await lostSlots(context, timetable, now);
  const due = timetable.unended.splice(0);
  while (timetable.next && timetable.next <= now) {
    due.push(timetable.next);
    timetable.next = timetable.slots.next().value ?? undefined;
  }
  const all = new Set(
    [...due, ...lost].map((slot) => slot.getTime()).filter((at) => !timetable.passed.has(at)),
  );
  const slots = [...all].sort((a, b) => a - b).map((at) => new Date(at));
  const chosen = chooseSlots(settings.missed, slots, now);
  const left = slots.filter((slot) => !chosen.includes(slot));
  for (const slot of left) timetable.passed.add(slot.getTime());
  if (left.length > 0) {
    const said = left.length === 1 ? 'a slot was missed and is' : `${left.length} slots were missed and are`;
    const reason = `${said} not made up for, as "missed": "${settings.missed}" says`;
    context.log.runSkipped({ job: job.name, account: account.ref, reason });
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
 * The slots that were begun, and that no run has brought to an end or is at now: their runner was killed, or told to
 * stop. Unless all are made up for, a slot after which another has ended is none of them.
 */
async function lostSlots(
  { db }: Context<Db>,
  { account, job, settings }: Timetable,
  now: Date,
): Promise<Date[]> {
  const found = await db.session(({ sql: query }) =>
    sql<{ slot: Date }>`/* runs.lost_slots */
      with begun as (
        select slot, bool_or(status in ('done', 'failed') and ${hasCome}) as has_ended, bool_or(${isLive}) as is_live
        from run
        where account_id = ${account.id} and job = ${job.name} and slot <= ${now}
          and slot > ${now}::timestamptz - make_interval(days => ${windowDays})
        group by slot
      )
      select slot from begun
      where not has_ended and not is_live and (${settings.missed === 'all'}
        or slot > all (select slot from begun where has_ended))
      order by slot`.execute(query),
  );
  return found.rows.map(({ slot }) => slot);
}

/** Slots wait for the server's clock; a person is told once, where the clock of this machine has come to one before. */
function warnOfClock({ clock, log }: Context<Db>, timetable: Timetable, there: Date): void {
  const ahead = clock().getTime() - there.getTime();
  const isWaiting = timetable.next !== undefined && timetable.next <= clock() && timetable.next > there;
  if (!isWaiting || ahead < onTimeMilliseconds || timetable.isAhead) return;
  timetable.isAhead = true;
  const message = `the clock of this machine is ${showDuration(ahead)} ahead of the database's, by which the slots of "${timetable.job.name}" come`;
  log.warning({ message });
}
