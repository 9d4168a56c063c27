import { describe, expect, test } from 'vitest';
import { releaseHolds } from '../../src/ledger/release.ts';
import { showShort } from '../../src/time.ts';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { deskWithTwo, landNumbered } from './selling.ts';

const { db } = await testDatabase();

/** A sale at a local time, its days of hold, and the local time and instant at which the hold ends. */
const holds: [zone: string, occurred: string, days: number, local: string, instant: string][] = [
  // Berlin: clocks go forward on 29 March (02:00 to 03:00) and back on 25 October (03:00 to 02:00).
  ['Europe/Berlin', '2026-05-01T12:00:00+02:00', 30, '2026-05-31 12:00', '2026-05-31T10:00:00.000Z'],
  ['Europe/Berlin', '2026-03-28T12:00:00+01:00', 1, '2026-03-29 12:00', '2026-03-29T10:00:00.000Z'],
  ['Europe/Berlin', '2026-03-01T02:30:00+01:00', 28, '2026-03-29 03:30', '2026-03-29T01:30:00.000Z'],
  ['Europe/Berlin', '2026-09-25T02:30:00+02:00', 30, '2026-10-25 02:30', '2026-10-25T01:30:00.000Z'],
  ['Europe/Berlin', '2026-10-24T12:00:00+02:00', 1, '2026-10-25 12:00', '2026-10-25T11:00:00.000Z'],
  ['Europe/Berlin', '2026-10-25T02:30:00+02:00', 0, '2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
  // New York: forward on 8 March, back on 1 November.
  ['America/New_York', '2026-03-07T12:00:00-05:00', 1, '2026-03-08 12:00', '2026-03-08T16:00:00.000Z'],
  ['America/New_York', '2026-02-06T02:30:00-05:00', 30, '2026-03-08 03:30', '2026-03-08T07:30:00.000Z'],
  ['America/New_York', '2026-10-02T01:30:00-04:00', 30, '2026-11-01 01:30', '2026-11-01T06:30:00.000Z'],
  ['America/New_York', '2026-10-31T23:59:59-04:00', 1, '2026-11-01 23:59', '2026-11-02T04:59:59.000Z'],
  // Tokyo has no summer time, whatever Europe and America do that night.
  ['Asia/Tokyo', '2026-03-28T02:30:00+09:00', 1, '2026-03-29 02:30', '2026-03-28T17:30:00.000Z'],
  ['Asia/Tokyo', '2026-10-24T02:30:00+09:00', 1, '2026-10-25 02:30', '2026-10-24T17:30:00.000Z'],
  ['Asia/Tokyo', '2026-01-31T09:00:00Z', 30, '2026-03-02 18:00', '2026-03-02T09:00:00.000Z'],
];

describe('a hold ends at the same local time that many days later, in the programme’s zone', () => {
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo']) {
    test(`in ${zone}, over both changes of clocks: never short, and released at that very moment`, async () => {
      const cases = holds.filter(([where]) => where === zone);
      const { world, ...desk } = await deskWithTwo(db, { program: { timezone: zone } });
      await landNumbered(
        { world, ...desk },
        ',hold_days',
        ...cases.map(([, occurred, days]) => `ann,1.00,USD,${occurred},${days}`),
      );
      const rows = [...(await booked(world)).values()];
      expect(rows.map(({ hold_until }) => [showShort(hold_until!, zone), hold_until!.toISOString()])).toEqual(
        cases.map(([, , , local, instant]) => [local, instant]),
      );
      for (const [, occurred, days, , instant] of cases) {
        expect(Date.parse(instant) - Date.parse(occurred)).toBeGreaterThanOrEqual(
          (days * 24 - 1) * 3_600_000,
        );
        const released = (asOf: Date) =>
          db.transaction((session) => releaseHolds(session, world.mover, { asOf }), { rollback: true });
        const before = await released(new Date(Date.parse(instant) - 1));
        const after = await released(new Date(instant));
        expect(after.counts.released - before.counts.released).toBe(
          cases.filter((one) => one[4] === instant).length,
        );
      }
    });
  }
});
