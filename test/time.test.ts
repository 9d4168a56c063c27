import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isZone,
  localDay,
  parseInstant,
  showDuration,
  showInstant,
  showShort,
  startOfDay,
} from '../src/time.ts';
import { holds } from './support/property.ts';

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'UTC',
];
const moment = fc.date({ min: new Date('1990-01-01'), max: new Date('2060-01-01'), noInvalidDate: true });

describe('zones', () => {
  test('are IANA zones; a fixed offset is none, because it has no summer time', () => {
    for (const zone of [...zones, 'America/Argentina/Buenos_Aires'])
      expect([zone, isZone(zone)]).toEqual([zone, true]);
    for (const zone of ['+01:00', '-05:00', '+01', 'Europe/Berln', 'Berlin', '', 'local'])
      expect([zone, isZone(zone)]).toEqual([zone, false]);
  });
});

describe('local days', () => {
  test('every instant lies in the day that its zone says: from its start, and before the next one', async () => {
    await holds(
      fc.property(moment, fc.constantFrom(...zones), (instant, zone) => {
        const day = localDay(instant, zone);
        const next = localDay(new Date(startOfDay(day, zone).getTime() + 36 * 3_600_000), zone);
        expect(startOfDay(day, zone).getTime()).toBeLessThanOrEqual(instant.getTime());
        expect(startOfDay(next, zone).getTime()).toBeGreaterThan(instant.getTime());
      }),
    );
  });

  test('the same instant falls on another day in Tokyo than in New York', () => {
    const instant = new Date('2026-02-28T22:30:00Z');
    const days = ['Asia/Tokyo', 'Europe/Berlin', 'America/New_York'].map((zone) => localDay(instant, zone));
    expect(days).toEqual(['2026-03-01', '2026-02-28', '2026-02-28']);
  });

  test('begin when the clock does: days of 23 and 25 hours, and one whose midnight does not exist', () => {
    const hours = (day: string, next: string, zone: string) =>
      (startOfDay(next, zone).getTime() - startOfDay(day, zone).getTime()) / 3_600_000;
    expect(hours('2026-03-29', '2026-03-30', 'Europe/Berlin')).toBe(23);
    expect(hours('2026-10-25', '2026-10-26', 'Europe/Berlin')).toBe(25);
    expect(hours('2026-03-08', '2026-03-09', 'America/New_York')).toBe(23);
    expect(hours('2026-11-01', '2026-11-02', 'America/New_York')).toBe(25);
    expect(hours('2026-03-29', '2026-03-30', 'Asia/Tokyo')).toBe(24);
    expect(startOfDay('2026-04-24', 'Africa/Cairo').toISOString()).toBe('2026-04-23T22:00:00.000Z');
    expect(showShort(startOfDay('2026-04-24', 'Africa/Cairo'), 'Africa/Cairo')).toBe('2026-04-24 01:00');
  });
});

describe('what a person types as a moment', () => {
  const berlin = (text: string) => parseInstant(text, 'Europe/Berlin')?.toISOString();

  test('a day is its start in the zone, a local time is local, an offset decides', () => {
    expect(berlin('2026-03-01')).toBe('2026-02-28T23:00:00.000Z');
    expect(berlin('2026-07-01T12:00')).toBe('2026-07-01T10:00:00.000Z');
    expect(berlin('2026-07-01 12:00:30')).toBe('2026-07-01T10:00:30.000Z');
    expect(berlin('2026-07-01T12:00:00Z')).toBe('2026-07-01T12:00:00.000Z');
    expect(berlin('2026-07-01T12:00:00-0500')).toBe('2026-07-01T17:00:00.000Z');
  });

  test('anything else is none', () => {
    for (const text of [
      '',
      'today',
      '2026-02-30',
      '2026-13-01',
      '01.03.2026',
      '2026-03-01T25:00',
      '20260301x',
    ])
      expect([text, berlin(text)]).toEqual([text, undefined]);
  });

  test('what is shown is read back, to the minute', async () => {
    await holds(
      fc.property(moment, fc.constantFrom('Asia/Tokyo', 'Asia/Kathmandu', 'UTC'), (instant, zone) => {
        const minute = Math.floor(instant.getTime() / 60_000) * 60_000;
        expect(parseInstant(showShort(instant, zone), zone)?.getTime()).toBe(minute);
        expect(showInstant(instant, zone)).toBe(`${showShort(instant, zone)} ${zone}`);
      }),
    );
  });
});

test('a duration is shown in the units that a person would choose', () => {
  const shown = [0, 400, 9_949, 12_000, 59_499, 200_000, 3_599_000, 3_600_000, 3_900_000].map(showDuration);
  expect(shown).toEqual([
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '12 s',
    '59 s',
    '3 min 20 s',
    '59 min 59 s',
    '1 h 0 min',
    '1 h 5 min',
  ]);
});
