import { isZone } from '../../time.ts';
import { offsetFinder, startOfDay } from './clock.ts';

export type DateFault = 'date-format' | 'date-gap' | 'date-zone' | 'date-serial' | 'date-short-year';

/** An ISO 8601 date and time with an offset, and whether its local time comes twice in that night. */
export interface ReadDate {
  instant: string;
  twice: boolean;
}

/** Reads the text of a cell, or says what is wrong with it. */
export type DateReader = (text: string) => ReadDate | DateFault;

/** A date and time as digits, two for each part and four for the year; an offset makes it an instant. */
export interface Parts {
  year: string;
  month: string;
  day: string;
  hour?: string | undefined;
  minute?: string | undefined;
  second?: string | undefined;
  fraction?: string | undefined;
  /** AM or PM, in any case. */
  half?: string | undefined;
  offset?: string | undefined;
}

export type PartsReader = (text: string) => Parts | undefined;

/**
 * A reader for one column: `format` is `iso`, `excel_serial` or a pattern of YYYY YY MM DD HH hh mm ss A. A time
 * without an offset is local in `zone`: one that comes twice in a night is taken as the earlier, one that never comes is
 * a fault. A date alone is the start of that day.
 */
export function dateReader(format: string, zone: string): DateReader {
  const parts = partsReader(format);
  const toInstant = instantReader(zone);
  return (text) => {
    const instant = utcInstant(text);
    if (instant) return instant;
    const found = parts(text);
    return found && isDate(found) ? toInstant(found) : strangeDate(text, parts, format);
  };
}

/** Turns the parts of a real date into an instant; local times are in `zone`. */
export function instantReader(zone: string): (parts: Parts) => ReadDate | DateFault {
  const offset = offsetFinder(zone);
  return (parts) => {
    const day = `${parts.year}-${parts.month}-${parts.day}`;
    if (parts.offset) return { instant: `${day}T${timeOf(parts)}${offsetOf(parts.offset)}`, twice: false };
    if (parts.hour === undefined) return { instant: startOfDay(day, zone), twice: false };
    const at = offset(day, hourOf(parts), parts.minute!);
    if (at === 'gap') return 'date-gap';
    return { instant: `${day}T${timeOf(parts)}${at.offset}`, twice: at.twice };
  };
}

/** The fault of a date where only ISO 8601 is read and no setting says otherwise: of people and events. */
export function isoFault(fault: DateFault): string {
  return fault === 'date-gap' || fault === 'date-zone' ? fault : 'date-iso';
}

/**
 * What is wrong with a text that is no date to `parts`. A time with the name of its zone behind it is looked up there: it
 * may be one that never comes.
 */
export function strangeDate(text: string, parts: PartsReader, format?: string): DateFault {
  if (format !== 'excel_serial' && /^\d{5}(?:[.,]\d+)?$/.test(text)) return 'date-serial';
  const zoned = /^(.*\d)\s([A-Za-z_]+\/[\w/+-]+)$/.exec(text);
  const local = zoned && isZone(zoned[2]!) ? parts(zoned[1]!) : undefined;
  if (local && isDate(local) && instantReader(zoned![2]!)(local) === 'date-gap') return 'date-gap';
  const named = /^(.*\d(?:\s?[AaPp][Mm])?)\s\(?[A-Za-z]{2,5}\)?$/.exec(text);
  const found = named && parts(named[1]!);
  return found && isDate(found) ? 'date-zone' : 'date-format';
}

/** In hours; no clock on earth is farther from UTC, and Postgres takes hardly more. */
const farthestOffset = 14;

export function isDate(parts: Parts): boolean {
  const [year, month, day] = [Number(parts.year), Number(parts.month), Number(parts.day)];
  if (year < 1970 || month < 1 || month > 12 || day < 1) return false;
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return false;
  const hour = Number(parts.hour ?? 0);
  if (hour > 23 || Number(parts.minute ?? 0) > 59 || Number(parts.second ?? 0) > 59) return false;
  if (parts.half !== undefined && (hour < 1 || hour > 12)) return false;
  if (parts.offset === undefined) return true;
  const [, hours = '0', minutes = '0'] = /^[+-](\d{2}):?(\d{2})?$/.exec(parts.offset) ?? [];
  return Number(hours) <= farthestOffset && Number(minutes) <= 59;
}

const zoneMark = '[zZ]|UTC|GMT|[+-]\\d{2}(?::?\\d{2})?';
const iso = new RegExp(
  `^(\\d{4})-(\\d{2})-(\\d{2})(?:[T ](\\d{2}):(\\d{2})(?::(\\d{2})(\\.\\d{1,6})?)?\\s?(${zoneMark})?)?$`,
);

/** Most files have nothing else: a moment in UTC, on a day that every month has, which needs not be put together anew. */
const plainUtc =
  /^(?:19[7-9]|[2-9]\d\d)\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** The same as taking it to parts and together again gives, in a fraction of the time, where `text` is of that form. */
export function utcInstant(text: string): ReadDate | undefined {
  return plainUtc.test(text) ? { instant: text, twice: false } : undefined;
}

export function isoParts(text: string): Parts | undefined {
  const found = iso.exec(text);
  if (!found) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = found;
  return { year: year!, month: month!, day: day!, hour, minute, second, fraction, offset };
}

function partsReader(format: string): PartsReader {
  if (format === 'iso') return isoParts;
  if (format === 'excel_serial') return serialParts;
  const [whole, dateOnly] = [patternParts(format), patternParts(dateOf(format))];
  return (text) => whole(text) ?? dateOnly(text) ?? withOffset(text, whole) ?? isoTimeParts(text);
}

/** A date and time in ISO form can be mistaken for nothing else, so that it may stand in for any pattern. */
function isoTimeParts(text: string): Parts | undefined {
  return text[10] === 'T' ? isoParts(text) : undefined;
}

/** A pattern does not speak of offsets, but where a cell has one behind its time it holds. */
function withOffset(text: string, whole: PartsReader): Parts | undefined {
  const found = endsInZone.exec(text);
  const parts = found && whole(found[1]!);
  return parts?.hour === undefined ? undefined : { ...parts, offset: found![2] };
}

const endsInZone = new RegExp(`^(.*:\\d\\d.*?)\\s?(${zoneMark})$`);

const tokens: Record<string, [key: keyof Parts, pattern: string]> = {
  YYYY: ['year', '(\\d{4})'],
  YY: ['year', '(\\d{2})'],
  MM: ['month', '(\\d{1,2})'],
  DD: ['day', '(\\d{1,2})'],
  HH: ['hour', '(\\d{1,2})'],
  hh: ['hour', '(\\d{1,2})'],
  mm: ['minute', '(\\d{2})'],
  ss: ['second', '(\\d{2})'],
  A: ['half', '([AaPp][Mm])'],
};

/** The date of a pattern that ends in a time; spreadsheets drop the time of midnight, so a date alone is taken too. */
function dateOf(format: string): string {
  return format.replace(/[T\s]+(?:HH|hh).*$/, '');
}

function patternParts(format: string): PartsReader {
  const keys: (keyof Parts)[] = [];
  let source = '';
  for (const piece of format.split(/(YYYY|YY|MM|DD|HH|hh|mm|ss|A)/)) {
    const token = tokens[piece];
    if (token) keys.push(token[0]);
    source += token ? token[1] : piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  }
  const pattern = new RegExp(`^${source}$`);
  return (text) => {
    const found = pattern.exec(text);
    if (!found) return undefined;
    const parts: Partial<Parts> = {};
    keys.forEach((key, index) => {
      parts[key] = found[index + 1]!.padStart(2, '0');
    });
    if (parts.year?.length === 2) parts.year = `20${parts.year}`;
    if (parts.hour !== undefined) parts.minute ??= '00';
    return parts.year && parts.month && parts.day ? (parts as Parts) : undefined;
  };
}

/**
 * What a spreadsheet counts days by: 1 is 1 January 1900, and 60 a 29 February 1900 that never was, so that from 61 on
 * the count starts at 30 December 1899. Only days since 1970 are dates here. The fraction is the time, to the second.
 */
function serialParts(text: string): Parts | undefined {
  const found = /^(\d{5,6})(?:[.,](\d{1,17}))?$/.exec(text);
  if (!found) return undefined;
  const seconds = Math.round(Number(`0.${found[2] ?? 0}`) * 86_400);
  const moment = new Date((Number(found[1]) - 25_569) * 86_400_000 + seconds * 1000);
  const [day, time] = moment.toISOString().split('T');
  const [year, month, dayOfMonth] = day!.split('-');
  const parts = { year: year!, month: month!, day: dayOfMonth! };
  const [hour, minute, second] = time!.slice(0, 8).split(':');
  return found[2] === undefined ? parts : { ...parts, hour, minute, second };
}

function hourOf({ hour, half }: Parts): string {
  if (half === undefined) return (hour ?? '00').padStart(2, '0');
  return String((Number(hour) % 12) + (/^p/i.test(half) ? 12 : 0)).padStart(2, '0');
}

function timeOf(parts: Parts): string {
  return `${hourOf(parts)}:${parts.minute ?? '00'}:${parts.second ?? '00'}${parts.fraction ?? ''}`;
}

function offsetOf(mark: string): string {
  return mark === 'UTC' || mark === 'GMT' ? 'Z' : mark;
}
