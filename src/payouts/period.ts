import type { Temporal } from 'temporal-polyfill';
import type { Period } from '../db/tables.ts';
import { startOfDay, zoned } from '../time.ts';

/** From `start` up to, and without, `end`; both are local midnights in the programme's zone. */
export interface PayoutPeriod {
  start: Date;
  end: Date;
}

/** A programme's payout schedule; `zone` is an IANA zone. */
export interface PayoutSchedule {
  every: Period;
  netDays: number;
  zone: string;
}

/**
 * The latest period whose end plus the net days, counted on the calendar of the programme's zone, is not after
 * `asOf`: at the very instant it counts as closed. Weeks start on Monday; half months on the 1st and the 16th.
 */
export function latestClosedPeriod(schedule: PayoutSchedule & { asOf: Date }): PayoutPeriod {
  const today = zoned(schedule.asOf, schedule.zone).toPlainDate();
  const end = startOfPeriod(schedule.every, today.subtract({ days: schedule.netDays }));
  const start = startOfPeriod(schedule.every, end.subtract({ days: 1 }));
  return {
    start: startOfDay(start.toString(), schedule.zone),
    end: startOfDay(end.toString(), schedule.zone),
  };
}

/** The period as people name it: `2026-02`, `2026-02 first half` or `week of 2026-02-23`, by its days in `zone`. */
export function periodLabel(period: PayoutPeriod, zone: string): string {
  const start = zoned(period.start, zone).toPlainDate();
  const borders = `${start.day}-${zoned(period.end, zone).day}`;
  if (borders === '1-1') return start.toPlainYearMonth().toString();
  if (borders === '1-16') return `${start.toPlainYearMonth()} first half`;
  if (borders === '16-1') return `${start.toPlainYearMonth()} second half`;
  return `week of ${start}`;
}

/** The first day of the period that `day` lies in, which is the day on which the one before it ended. */
function startOfPeriod(every: Period, day: Temporal.PlainDate): Temporal.PlainDate {
  if (every === 'week') return day.subtract({ days: day.dayOfWeek - 1 });
  return day.with({ day: every === 'half_month' && day.day >= 16 ? 16 : 1 });
}
