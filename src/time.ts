import { Temporal } from 'temporal-polyfill';

/** Where "now" comes from; tests pass their own. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** Whether the runtime knows `zone` as an IANA zone; fixed offsets are no zones, because they have no summer time. */
export function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return !/^[+-]/.test(zone);
  } catch {
    return false;
  }
}

/** The local calendar day, `YYYY-MM-DD`, that `instant` falls on in `zone`. */
export function localDay(instant: Date, zone: string): string {
  return zoned(instant, zone).toPlainDate().toString();
}

/** The instant at which local day `day` (`YYYY-MM-DD`) begins in `zone`. */
export function startOfDay(day: string, zone: string): Date {
  return new Date(Temporal.PlainDate.from(day).toZonedDateTime(zone).epochMilliseconds);
}

/**
 * The instant a person means by `text`: an ISO 8601 date or date and time, read in `zone` when it names no
 * offset; a date alone is the start of that day. Undefined when it is none.
 */
export function parseInstant(text: string, zone: string): Date | undefined {
  try {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return startOfDay(text, zone);
    if (/(?:[zZ]|[+-]\d{2}:?\d{2})$/.test(text))
      return new Date(Temporal.Instant.from(text).epochMilliseconds);
    return new Date(Temporal.PlainDateTime.from(text).toZonedDateTime(zone).epochMilliseconds);
  } catch {
    return undefined;
  }
}

/** Date and time as people read it, in `zone`: `2026-03-01 02:00 Europe/Berlin`. */
export function showInstant(instant: Date, zone: string): string {
  return `${showShort(instant, zone)} ${zone}`;
}

/** The same without the zone, for a column whose header names it. */
export function showShort(instant: Date, zone: string): string {
  const local = zoned(instant, zone);
  return `${local.toPlainDate()} ${local.toPlainTime().toString({ smallestUnit: 'minute' })}`;
}

/** A span of milliseconds as people read it: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`. */
export function showDuration(milliseconds: number): string {
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** `instant` as a date and time on the calendar of `zone`. */
export function zoned(instant: Date, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(zone);
}

/**
 * Whether `format` says how dates are written: `iso`, `excel_serial`, or a pattern of YYYY YY MM DD HH hh mm ss A that has
 * a year, month and day, and each part once. Any other letter but the T of ISO is a mistaken part, such as MMM.
 */
export function isDateFormat(format: string): boolean {
  if (format === 'iso' || format === 'excel_serial') return true;
  const part = /YYYY|YY|MM|DD|HH|hh|mm|ss|A/g;
  const parts = (format.match(part) ?? []).map((one) => one.replace('YYYY', 'YY').replace('hh', 'HH'));
  const hasDate = ['YY', 'MM', 'DD'].every((one) => parts.includes(one));
  return hasDate && new Set(parts).size === parts.length && !/[A-SU-Za-z]/.test(format.replaceAll(part, ''));
}
