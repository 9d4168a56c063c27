import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latestClosedPeriod, type PayoutSchedule, periodLabel } from '../../src/payouts/period.ts';
import { localDay, showShort } from '../../src/time.ts';

const monthly: PayoutSchedule = { every: 'month', netDays: 0, zone: 'Europe/Berlin' };

function borders(schedule: Partial<PayoutSchedule>, asOf: string): string {
  const all = { ...monthly, ...schedule };
  const period = latestClosedPeriod({ ...all, asOf: new Date(asOf) });
  return `${period.start.toISOString()} ${period.end.toISOString()} ${periodLabel(period, all.zone)}`;
}

describe('a period is closed from the very instant of its end', () => {
  test.each([
    ['2026-02-28T22:59:59.999Z', '2025-12-31T23:00:00.000Z 2026-01-31T23:00:00.000Z 2026-01'],
    ['2026-02-28T23:00:00.000Z', '2026-01-31T23:00:00.000Z 2026-02-28T23:00:00.000Z 2026-02'],
  ])('a month in Berlin, as of %s', (asOf, expected) => {
    expect(borders({}, asOf)).toBe(expected);
  });

  test.each([
    ['2026-03-15T22:59:59.999Z', '2026-02-15T23:00:00.000Z 2026-02-28T23:00:00.000Z 2026-02 second half'],
    ['2026-03-15T23:00:00.000Z', '2026-02-28T23:00:00.000Z 2026-03-15T23:00:00.000Z 2026-03 first half'],
    ['2026-03-31T22:00:00.000Z', '2026-03-15T23:00:00.000Z 2026-03-31T22:00:00.000Z 2026-03 second half'],
  ])('a half month in Berlin, as of %s', (asOf, expected) => {
    expect(borders({ every: 'half_month' }, asOf)).toBe(expected);
  });

  test.each([
    ['2026-03-01T22:59:59.999Z', '2026-02-15T23:00:00.000Z 2026-02-22T23:00:00.000Z week of 2026-02-16'],
    ['2026-03-01T23:00:00.000Z', '2026-02-22T23:00:00.000Z 2026-03-01T23:00:00.000Z week of 2026-02-23'],
  ])('a week, which starts on Monday, in Berlin, as of %s', (asOf, expected) => {
    expect(borders({ every: 'week' }, asOf)).toBe(expected);
  });
});

describe('net days are days of the calendar, counted from the end', () => {
  test.each([
    [15, '2026-03-15T22:59:59.999Z', '2026-01'],
    [15, '2026-03-15T23:00:00.000Z', '2026-02'],
    [30, '2026-03-30T21:59:59.999Z', '2026-01'],
    [30, '2026-03-30T22:00:00.000Z', '2026-02'],
  ])('%i net days as of %s, over the change to summer time', (netDays, asOf, label) => {
    expect(borders({ netDays }, asOf)).toMatch(new RegExp(` ${label}$`));
  });
});

describe('borders lie at midnight of the programme’s zone on both sides of a change of clocks', () => {
  test.each([
    [
      'Europe/Berlin',
      'week',
      '2026-03-30T00:00:00Z',
      '2026-03-22T23:00:00.000Z 2026-03-29T22:00:00.000Z week of 2026-03-23',
    ],
    [
      'Europe/Berlin',
      'week',
      '2026-10-26T00:00:00Z',
      '2026-10-18T22:00:00.000Z 2026-10-25T23:00:00.000Z week of 2026-10-19',
    ],
    [
      'America/New_York',
      'week',
      '2026-03-09T12:00:00Z',
      '2026-03-02T05:00:00.000Z 2026-03-09T04:00:00.000Z week of 2026-03-02',
    ],
    [
      'America/New_York',
      'month',
      '2026-11-30T12:00:00Z',
      '2026-10-01T04:00:00.000Z 2026-11-01T04:00:00.000Z 2026-10',
    ],
    [
      'America/New_York',
      'month',
      '2026-12-01T05:00:00Z',
      '2026-11-01T04:00:00.000Z 2026-12-01T05:00:00.000Z 2026-11',
    ],
    [
      'Asia/Tokyo',
      'month',
      '2026-03-31T15:00:00Z',
      '2026-02-28T15:00:00.000Z 2026-03-31T15:00:00.000Z 2026-03',
    ],
    [
      'Asia/Tokyo',
      'half_month',
      '2026-10-31T14:59:59Z',
      '2026-09-30T15:00:00.000Z 2026-10-15T15:00:00.000Z 2026-10 first half',
    ],
  ] as const)('%s, %s, as of %s', (zone, every, asOf, expected) => {
    expect(borders({ zone, every }, asOf)).toBe(expected);
  });
});

test('whatever the moment, the period is the latest one whose end and net days have passed', () => {
  const seed = 20260302;
  const anySchedule = fc.record({
    every: fc.constantFrom('week' as const, 'half_month' as const, 'month' as const),
    netDays: fc.integer({ min: 0, max: 120 }),
    zone: fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Asia/Tokyo',
      'America/Havana',
      'Asia/Kathmandu',
      'UTC',
    ),
  });
  const moment = fc.date({ min: new Date('2024-01-01'), max: new Date('2028-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(anySchedule, moment, (schedule, asOf) => {
      const { zone, netDays } = schedule;
      const period = latestClosedPeriod({ ...schedule, asOf });
      const daysSince = (day: Date) => Date.parse(localDay(asOf, zone)) - Date.parse(localDay(day, zone));
      expect(daysSince(period.end)).toBeGreaterThanOrEqual(netDays * 86_400_000);
      expect(daysSince(firstBorderAfter(period.end, schedule))).toBeLessThan(netDays * 86_400_000);
      for (const border of [period.start, period.end])
        expect(showShort(border, zone)).toMatch(/ 00:00$|01:00$/);
    }),
    { seed, numRuns: 500 },
  );
});

/** Found the slow way: the first day after `end` on which a new period would be the latest closed one. */
function firstBorderAfter(end: Date, schedule: PayoutSchedule): Date {
  for (let day = 1; ; day += 1) {
    const asOf = new Date(end.getTime() + day * 86_400_000 + 7_200_000);
    const period = latestClosedPeriod({ ...schedule, netDays: 0, asOf });
    if (period.end > end) return period.end;
  }
}
