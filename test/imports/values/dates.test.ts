import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { dateReader } from '../../../src/imports/values/dates.ts';
import { holds } from '../../support/property.ts';

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Cairo',
];

/** The instant that a reader makes of a text, as ISO 8601 in UTC, or its fault. */
function read(text: string, format = 'iso', zone = 'Europe/Berlin'): string {
  const found = dateReader(format, zone)(text);
  return typeof found === 'string' ? found : new Date(found.instant).toISOString();
}

describe('a date or time without an offset', () => {
  test('is local: the earlier of two, and none where the clocks went forward, at every minute of a year', async () => {
    const readers = new Map(zones.map((zone) => [zone, dateReader('iso', zone)]));
    const minute = fc.integer({ min: 0, max: 365 * 1440 - 1 });
    // Most minutes of a year are ordinary; half of those tried are near a change of clocks.
    const change = fc.constantFrom(
      '2026-03-08T01:00',
      '2026-03-29T01:00',
      '2026-04-05T01:00',
      '2026-04-24T00:00',
      '2026-10-04T01:00',
      '2026-10-25T01:00',
      '2026-10-29T23:00',
      '2026-11-01T00:00',
    );
    const local = fc.oneof(
      minute.map((at) => Temporal.PlainDateTime.from('2026-01-01T00:00').add({ minutes: at })),
      fc
        .tuple(change, fc.integer({ min: 0, max: 239 }))
        .map(([from, at]) => Temporal.PlainDateTime.from(from).add({ minutes: at })),
    );
    await holds(
      fc.property(local, fc.constantFrom(...zones), (moment, zone) => {
        const found = readers.get(zone)!(moment.toString({ smallestUnit: 'minute' }));
        const earlier = moment.toZonedDateTime(zone, { disambiguation: 'earlier' });
        const later = moment.toZonedDateTime(zone, { disambiguation: 'later' });
        const isThere = earlier.toPlainDateTime().equals(moment);
        expect(found === 'date-gap').toBe(!isThere);
        if (!isThere || typeof found === 'string') return;
        expect(found.twice).toBe(earlier.epochMilliseconds !== later.epochMilliseconds);
        expect(Date.parse(found.instant)).toBe(earlier.epochMilliseconds);
      }),
      2000,
    );
  });

  test('is the start of its day when it has no time, also on a day that begins at one o’clock', () => {
    expect(read('2026-07-01')).toBe('2026-06-30T22:00:00.000Z');
    expect(read('2026-04-24', 'iso', 'Africa/Cairo')).toBe('2026-04-23T22:00:00.000Z');
    expect(read('24.4.2026', 'DD.MM.YYYY', 'Africa/Cairo')).toBe('2026-04-23T22:00:00.000Z');
  });
});

describe('formats', () => {
  test('iso takes a space or a T, seconds or none, a fraction, and offsets in every spelling', () => {
    const noon = [
      '2026-01-10T12:00Z',
      '2026-01-10 12:00:00z',
      '2026-01-10T13:00:00.000+01:00',
      '2026-01-10 17:45 +0545',
      '2026-01-10T07:00:00.000000-0500',
    ];
    expect(noon.map((text) => read(text))).toEqual(noon.map(() => '2026-01-10T12:00:00.000Z'));
  });

  test.each([
    ['DD.MM.YYYY HH:mm', '1.2.2026 9:05', '2026-02-01T08:05:00.000Z'],
    ['DD.MM.YYYY HH:mm', '01.02.2026', '2026-01-31T23:00:00.000Z'],
    ['MM/DD/YY', '2/1/26', '2026-01-31T23:00:00.000Z'],
    ['YYYYMMDD', '20260201', '2026-01-31T23:00:00.000Z'],
    ['DD-MM-YYYYTHH:mm:ss', '01-02-2026T09:05:06', '2026-02-01T08:05:06.000Z'],
    ['HH:mm DD.MM.YYYY', '09:05 01.02.2026', '2026-02-01T08:05:00.000Z'],
  ])('%s reads %s', (format, text, instant) => {
    expect(read(text, format)).toBe(instant);
  });

  test('whatever is no such date is a fault, never a guess', () => {
    const wrong = [
      '',
      '2026',
      '2026-1-1',
      '10.01.2026',
      '2026-02-29',
      '2026-13-01',
      '2026-00-10',
      '2026-01-00',
      '1969-12-31',
      '2026-01-10T25:00',
      '2026-01-10T10:60',
      '2026-01-10T10:00:60',
      '2026-01-10T10:00+15:00',
      '2026-01-10T10:00+01:60',
      ' 2026-01-10',
      '٢٠٢٦-01-10',
    ];
    expect(wrong.map((text) => [text, read(text)])).toEqual(wrong.map((text) => [text, 'date-format']));
    for (const text of ['2026-01-10T10:00 CET', '2026-01-10 10:00 (PST)'])
      expect([text, read(text)]).toEqual([text, 'date-zone']);
    expect(read('46326')).toBe('date-serial');
    for (const text of [
      '31.02.2026',
      '01.02.26',
      '1.2.2026 9',
      '2026-02-01',
      '01.02.2026 9:05 ',
      '01x02x2026',
    ])
      expect([text, read(text, 'DD.MM.YYYY HH:mm')]).toEqual([text, 'date-format']);
    expect(read('29.02.2028', 'DD.MM.YYYY')).toBe('2028-02-28T23:00:00.000Z');
  });
});

describe('a moment in UTC, as most files have it', () => {
  const number = (digits: number, most: number) =>
    fc.integer({ min: 0, max: most }).map((part) => String(part).padStart(digits, '0'));
  const moment = fc.tuple(
    fc.constantFrom('1969', '1970', '1999', '2000', '2024', '2026', '2199', '3000'),
    number(2, 13),
    number(2, 32),
    number(2, 24),
    number(2, 60),
    number(2, 60),
  );

  test('is the moment it says, and a fault where the calendar or the clock has none', async () => {
    await holds(
      fc.property(moment, ([year, ...rest]) => {
        const [month, day, hour, minute, second] = rest;
        const text = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
        // A space before the zone is read the long way.
        expect(read(`${text}Z`)).toBe(read(`${text} Z`));
        const parts = [year, ...rest].map(Number);
        const [y, m, d, h, min, s] = parts as [number, number, number, number, number, number];
        const utc = new Date(Date.UTC(y, m - 1, d, h, min, s)).toISOString();
        const isReal = y >= 1970 && utc === `${text}.000Z`;
        expect(read(`${text}Z`)).toBe(isReal ? utc : 'date-format');
      }),
      2_000,
    );
  });
});
