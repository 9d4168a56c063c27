import fc from 'fast-check';
import cron from 'node-cron';
import { describe, expect, test } from 'vitest';
import { slotsAfter } from '../../src/runs/slots.ts';
import { localDay, showShort } from '../../src/time.ts';

function slots(expression: string, timezone: string, after: string, until: string): string[] {
  const found: string[] = [];
  for (const slot of slotsAfter({ cron: expression, timezone }, new Date(after))) {
    if (slot > new Date(until)) break;
    found.push(slot.toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
}

describe('each local night runs once over a change of clocks', () => {
  test('Berlin in spring: 02:30 does not exist on 29 March and runs at 03:30 instead', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z', '2026-03-30T12:00:00Z')).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-29T01:30Z',
      '2026-03-30T00:30Z',
    ]);
  });

  test('Berlin in autumn: 02:30 comes twice on 25 October and runs the first time', () => {
    expect(slots('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-26T12:00:00Z')).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
  });

  test('New York in spring: 02:00 does not exist on 8 March and runs at 03:00 instead', () => {
    expect(slots('0 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', '2026-03-09T12:00:00Z')).toEqual([
      '2026-03-08T07:00Z',
      '2026-03-09T06:00Z',
    ]);
  });

  test('New York in autumn: 01:30 comes twice on 1 November and runs the first time', () => {
    expect(slots('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', '2026-11-02T12:00:00Z')).toEqual([
      '2026-11-01T05:30Z',
      '2026-11-02T06:30Z',
    ]);
  });

  test('Tokyo: the same instant every night of the year', () => {
    const nights = slots('30 2 * * *', 'Asia/Tokyo', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z');
    expect(nights).toHaveLength(365);
    expect(new Set(nights.map((night) => night.slice(11)))).toEqual(new Set(['17:30Z']));
  });

  test('an hour that is skipped does not run twice when the next hour is a slot as well', () => {
    expect(slots('0 1-4 * * *', 'Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
      '2026-03-29T00:00Z',
      '2026-03-29T01:00Z',
      '2026-03-29T02:00Z',
    ]);
  });

  test('in any zone and at any time of day, every local day has exactly one slot, also when asked from any instant', () => {
    const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Australia/Lord_Howe', 'Africa/Cairo'];
    const anyTime = fc.record({
      zone: fc.constantFrom(...zones),
      hour: fc.integer({ min: 0, max: 23 }),
      minute: fc.integer({ min: 0, max: 59 }),
      start: fc.date({ min: new Date('2025-01-01'), max: new Date('2027-01-01'), noInvalidDate: true }),
    });
    fc.assert(
      fc.property(anyTime, ({ zone, hour, minute, start }) => {
        const found = [];
        for (const slot of slotsAfter({ cron: `${minute} ${hour} * * *`, timezone: zone }, start)) {
          expect(slot.getTime()).toBeGreaterThan((found.at(-1) ?? start).getTime());
          found.push(slot);
          if (found.length === 400) break;
        }
        const days = found.map((slot) => localDay(slot, zone));
        expect(new Set(days).size).toBe(400);
        const span = Date.parse(days.at(-1)!) - Date.parse(days[0]!);
        expect(span / 86_400_000).toBe(399);
      }),
      { seed: 20260329, numRuns: 60 },
    );
  });
});

describe('the slots are those of node-cron', () => {
  const expressions = [
    '30 2 * * *',
    '*/20 9-17 * * 1-5',
    '0 0 6 L * *',
    '15 4 1,15 * *',
    '0 3 * * 5#2',
    '@daily',
  ];

  test.each(expressions)('%s, in a zone without changes of clocks', (expression) => {
    const task = cron.createTask(expression, () => {}, { timezone: 'Asia/Tokyo' });
    void task.destroy();
    const theirs = task.getNextRuns(60);
    const ours = slotsAfter({ cron: expression, timezone: 'Asia/Tokyo' }, new Date(theirs[0]!.getTime() - 1));
    expect(theirs.map(() => ours.next().value)).toEqual(theirs);
  });

  test.each(['Europe/Berlin', 'America/New_York'])(
    'in %s, but for the one night of the year that node-cron leaves out',
    (zone) => {
      const task = cron.createTask('30 2 * * *', () => {}, { timezone: zone });
      void task.destroy();
      const theirs = task.getNextRuns(365).map((slot) => localDay(slot, zone));
      const ours: string[] = [];
      for (const slot of slotsAfter({ cron: '30 2 * * *', timezone: zone }, new Date())) {
        if (localDay(slot, zone) > theirs.at(-1)!) break;
        ours.push(localDay(slot, zone));
      }
      const left = ours.filter((day) => !theirs.includes(day));
      expect(ours.filter((day) => theirs.includes(day))).toEqual(theirs);
      expect(left).toHaveLength(1);
      const night = slotsAfter(
        { cron: '30 2 * * *', timezone: zone },
        new Date(`${left[0]}T00:00:00Z`),
      ).next();
      expect(showShort(night.value as Date, zone)).toBe(`${left[0]} 03:30`);
    },
  );
});

test('29 February is found from one leap year to the next; a slot that never comes ends the list', () => {
  const leap = slotsAfter({ cron: '0 2 29 2 *', timezone: 'Europe/Berlin' }, new Date('2026-01-01'));
  expect([leap.next().value, leap.next().value]).toEqual([
    new Date('2028-02-29T01:00:00Z'),
    new Date('2032-02-29T01:00:00Z'),
  ]);
  const never = slotsAfter({ cron: '0 2 L-30 2 *', timezone: 'Europe/Berlin' }, new Date('2026-01-01'));
  expect(never.next().done).toBe(true);
});

test('an expression with seconds has a slot at each of them', () => {
  const found = slots('*/30 0 2 * * *', 'Europe/Berlin', '2026-03-01T00:59:59Z', '2026-03-02T00:00:00Z');
  expect(found).toEqual(['2026-03-01T01:00Z', '2026-03-01T01:00:30.000Z']);
});
