import cron from 'node-cron';
import { Temporal } from 'temporal-polyfill';
import { zoned } from '../time.ts';

/** How far ahead a day that matches is looked for; 29 February may be eight years away. */
const horizonDays = 366 * 8;

/**
 * The instants at which a job is due, in order, strictly after `after`; ends only where the expression matches no
 * day that exists.
 *
 * node-cron reads the expression and says which days match it. The local times of such a day are then put on the
 * calendar of the zone here, each exactly once, because node-cron itself leaves out a local time that a change of
 * clocks skips. Such a time moves forward by the hour that is missing; one that comes twice is due the first time.
 */
export function* slotsAfter(job: { cron: string; timezone: string }, after: Date): Generator<Date, void> {
  const { hour, minute, second } = cron.parse(job.cron);
  const calendar = cron.createTask(job.cron, () => {}, { timezone: 'UTC' });
  void calendar.destroy();
  const matches = (day: Temporal.PlainDate) =>
    calendar.match(new Date(Date.UTC(day.year, day.month - 1, day.day, hour[0], minute[0], second[0])));
  let last = after.getTime();
  let day = zoned(after, job.timezone).toPlainDate().subtract({ days: 1 });
  for (let empty = 0; empty < horizonDays; empty += 1) {
    if (matches(day)) {
      empty = 0;
      for (const instant of instantsOf(day, job.timezone, hour, minute, second)) {
        if (instant <= last) continue;
        last = instant;
        yield new Date(instant);
      }
    }
    day = day.add({ days: 1 });
  }
}

function* instantsOf(
  day: Temporal.PlainDate,
  timeZone: string,
  hours: number[],
  minutes: number[],
  seconds: number[],
): Generator<number, void> {
  const instants = new Set<number>();
  for (const hour of hours) {
    for (const minute of minutes) {
      instants.add(
        day.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from({ hour, minute }) })
          .epochMilliseconds,
      );
    }
  }
  const inOrder = seconds.toSorted((a, b) => a - b);
  for (const instant of [...instants].sort((a, b) => a - b)) {
    for (const second of inOrder) yield instant + second * 1000;
  }
}
