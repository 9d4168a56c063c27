import { Temporal } from 'temporal-polyfill';

export type DateFault = 'date-format' | 'date-gap';

/** Reads the text of a cell into an ISO 8601 date and time with an offset, or says what is wrong with it. */
export type DateReader = (text: string) => { instant: string; twice: boolean } | DateFault;

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s?([zZ]|[+-]\d{2}:?\d{2})?)?$/;

/**
 * A reader for one column: `format` is `iso` or a pattern of YYYY YY MM DD HH mm ss, which a date and time in ISO form
 * may stand in for, because it can be mistaken for nothing else. A time without an offset is
 * local in `zone`: one that comes twice in a night is taken as the earlier, one that never comes is a fault. A date
 * alone is the start of that day.
 */
export function dateReader(format: string, zone: string): DateReader {
  const inPattern = eitherPart(patternParts(format), patternParts(dateOf(format)));
  const parts = format === 'iso' ? isoParts : eitherPart(inPattern, isoTimeParts);
  const offset = offsetFinder(zone);
  return (text) => {
    const found = parts(text);
    if (!found || !isDate(found)) return 'date-format';
    const day = `${found.year}-${found.month}-${found.day}`;
    if (found.offset) return { instant: `${day}T${timeOf(found)}${found.offset}`, twice: false };
    if (found.hour === undefined) return { instant: `${startOf(day, zone)}`, twice: false };
    const at = offset(day, found.hour, found.minute!);
    if (at === 'gap') return 'date-gap';
    return { instant: `${day}T${timeOf(found)}${at.offset}`, twice: at.twice };
  };
}

/** In hours; no clock on earth is farther from UTC, and Postgres takes hardly more. */
const farthestOffset = 14;

interface Parts {
  year: string;
  month: string;
  day: string;
  hour?: string | undefined;
  minute?: string | undefined;
  second?: string | undefined;
  fraction?: string | undefined;
  offset?: string | undefined;
}

function isoParts(text: string): Parts | undefined {
  const found = iso.exec(text);
  if (!found) return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = found;
  return { year: year!, month: month!, day: day!, hour, minute, second, fraction, offset };
}

function isoTimeParts(text: string): Parts | undefined {
  return text[10] === 'T' ? isoParts(text) : undefined;
}

const tokens: Record<string, [key: keyof Parts, pattern: string]> = {
  YYYY: ['year', '(\\d{4})'],
  YY: ['year', '(\\d{2})'],
  MM: ['month', '(\\d{1,2})'],
  DD: ['day', '(\\d{1,2})'],
  HH: ['hour', '(\\d{1,2})'],
  mm: ['minute', '(\\d{2})'],
  ss: ['second', '(\\d{2})'],
};

/** The date of a pattern that ends in a time; spreadsheets drop the time of midnight, so a date alone is taken too. */
function dateOf(format: string): string {
  return format.replace(/[T\s]+HH.*$/, '');
}

type PartsReader = (text: string) => Parts | undefined;

function eitherPart(first: PartsReader, second: PartsReader): PartsReader {
  return (text) => first(text) ?? second(text);
}

function patternParts(format: string): PartsReader {
  const keys: (keyof Parts)[] = [];
  let source = '';
  for (const piece of format.split(/(YYYY|YY|MM|DD|HH|mm|ss)/)) {
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

function isDate(parts: Parts): boolean {
  const [year, month, day] = [Number(parts.year), Number(parts.month), Number(parts.day)];
  if (year < 1970 || month < 1 || month > 12 || day < 1) return false;
  if (day > 28 && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return false;
  if (Number(parts.hour ?? 0) > 23 || Number(parts.minute ?? 0) > 59 || Number(parts.second ?? 0) > 59)
    return false;
  const [, hours = '0', minutes = '0'] = /^[+-](\d{2}):?(\d{2})$/.exec(parts.offset ?? '') ?? [];
  return Number(hours) <= farthestOffset && Number(minutes) <= 59;
}

function timeOf(parts: Parts): string {
  return `${parts.hour ?? '00'}:${parts.minute ?? '00'}:${parts.second ?? '00'}${parts.fraction ?? ''}`;
}

function startOf(day: string, zone: string): string {
  const start = Temporal.PlainDate.from(day).toZonedDateTime(zone);
  return start.toString({ timeZoneName: 'never' });
}

/** Offsets are looked up once for each quarter of an hour, because a look-up costs more than the rest of a row. */
function offsetFinder(
  zone: string,
): (day: string, hour: string, minute: string) => { offset: string; twice: boolean } | 'gap' {
  const known = new Map<string, { offset: string; twice: boolean } | 'gap'>();
  return (day, hour, minute) => {
    const quarter = `${day}T${hour}:${String(Math.floor(Number(minute) / 15) * 15).padStart(2, '0')}`;
    let found = known.get(quarter);
    if (found === undefined) {
      if (known.size > 100_000) known.clear();
      found = offsetAt(Temporal.PlainDateTime.from(quarter), zone);
      known.set(quarter, found);
    }
    return found;
  };
}

function offsetAt(local: Temporal.PlainDateTime, zone: string): { offset: string; twice: boolean } | 'gap' {
  const earlier = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(zone, { disambiguation: 'later' });
  if (!earlier.toPlainDateTime().equals(local)) return 'gap';
  return { offset: earlier.offset, twice: earlier.epochMilliseconds !== later.epochMilliseconds };
}
