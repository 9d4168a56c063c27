import {
  type DateReader,
  dateReader,
  instantReader,
  isDate,
  isoParts,
  type Parts,
  type ReadDate,
  strangeDate,
  utcInstant,
} from './dates.ts';
import { type ColumnPlace, type Evidence, type ProvenColumn, Style } from './styles.ts';

export interface DateSettings {
  /** `iso`, `excel_serial` or a pattern; without it the column's own values say which number is the day. */
  format: string | undefined;
  /** The zone of times that name none. */
  zone: string;
  /** What an empty cell stands for. */
  fallback: string | undefined;
}

type Order = 'day' | 'month';

/** One column of dates. */
export class DateColumn implements ProvenColumn {
  readonly #style: Style<Order>;
  readonly #byFormat: DateReader | undefined;
  readonly #toInstant: (parts: Parts) => ReadDate | string;
  readonly #default: ReadDate | string;

  constructor(place: ColumnPlace, { format, zone, fallback }: DateSettings) {
    this.#style = new Style(
      place,
      { day: 'the day before the month', month: 'the month before the day' },
      { name: 'date_format (such as "DD/MM/YYYY")', example: '"date_format": "DD/MM/YYYY"' },
    );
    this.#byFormat = format === undefined ? undefined : dateReader(format, zone);
    this.#toInstant = instantReader(zone);
    this.#default = fallback === undefined ? 'required' : dateReader(format ?? 'iso', zone)(fallback);
  }

  get evidence(): Evidence | undefined {
    return this.#style.evidence;
  }

  get isOpen(): boolean {
    return this.#byFormat === undefined && this.#style.kind === undefined && !this.#style.isClosed;
  }

  close(): void {
    this.#style.isClosed = true;
  }

  /**
   * Reads the trimmed text of a cell: a date, the code of a fault, or `unproven` when the column's style has to be
   * looked for first. Raises `file-refused` for a style that nothing proves, or two do.
   */
  read(text: string, line: number): ReadDate | string {
    if (text === '') return this.#default;
    if (this.#byFormat) return this.#byFormat(text);
    const instant = utcInstant(text);
    if (instant) return instant;
    const parts = isoParts(text);
    if (parts) return isDate(parts) ? this.#toInstant(parts) : 'date-format';
    return this.#readOther(text, line);
  }

  /** Reads a cell that is a date by its type, whose text is in ISO form whatever the column's style. */
  readTyped(text: string, line: number): ReadDate | string {
    const parts = isoParts(text);
    if (!parts) return this.read(text, line);
    return isDate(parts) ? this.#toInstant(parts) : 'date-format';
  }

  prove(text: string, line: number): void {
    const proven = provenOrder(numericDate(text));
    if (proven === 'day' || proven === 'month') this.#style.prove(proven, text, line);
  }

  #readOther(text: string, line: number): ReadDate | string {
    const parts = numericDate(text);
    if (!parts) return this.#readPlain(text);
    const proven = provenOrder(parts);
    if (proven === 'none') return 'date-format';
    if (proven === 'ambiguous' && this.#style.kind === undefined)
      return this.#style.undecided(text, line, [dayOf(parts), dayOf(inOrder(parts, 'month'))]);
    if (proven === 'day' || proven === 'month') this.#style.prove(proven, text, line);
    return this.#toInstant(inOrder(parts, this.#style.kind ?? 'day'));
  }

  #readPlain(text: string): ReadDate | string {
    if (shortYear.test(text)) return 'date-short-year';
    const parts = plainDate(text);
    if (parts && isDate(parts)) return this.#toInstant(parts);
    return strangeDate(text, (one) => isoParts(one) ?? numericDate(one) ?? plainDate(one));
  }
}

const time =
  '(?:(?:,?[ \\u00a0\\u202f]+|T)(\\d{1,2}):(\\d{2})(?::(\\d{2})(\\.\\d{1,6})?)?' +
  '(?:[ \\u00a0\\u202f]?([AaPp][Mm]))?[ ]?([zZ]|UTC|GMT|[+-]\\d{2}(?::?\\d{2})?)?)?';
const numeric = new RegExp(`^(\\d{1,2})([/.-])(\\d{1,2})\\2(\\d{4})${time}$`);
const yearFirst = new RegExp(`^(\\d{4})([/.-])(\\d{1,2})\\2(\\d{1,2})${time}$`);
const dayMonthName = new RegExp(`^(\\d{1,2})[ -]([A-Za-z]{3,9})\\.?,?[ -](\\d{4})${time}$`);
const monthNameDay = new RegExp(`^([A-Za-z]{3,9})\\.? (\\d{1,2}),? (\\d{4})${time}$`);
const shortYear = /^\d{1,2}([/.-])\d{1,2}\1\d{2}(?:\D.*)?$/;

/** A date of which day and month may change places; its first number is taken for the day. */
function numericDate(text: string): Parts | undefined {
  const found = numeric.exec(text);
  return found ? partsOf(found[4]!, found[3]!, found[1]!, found.slice(5)) : undefined;
}

function plainDate(text: string): Parts | undefined {
  const digits = yearFirst.exec(text);
  if (digits) return partsOf(digits[1]!, digits[3]!, digits[4]!, digits.slice(5));
  const named = dayMonthName.exec(text);
  if (named) return partsOf(named[3]!, monthOf(named[2]!), named[1]!, named.slice(4));
  const american = monthNameDay.exec(text);
  return american ? partsOf(american[3]!, monthOf(american[1]!), american[2]!, american.slice(4)) : undefined;
}

function partsOf(year: string, month: string, day: string, rest: (string | undefined)[]): Parts {
  const [hour, minute, second, fraction, half, offset] = rest;
  return {
    year,
    month: month.padStart(2, '0'),
    day: day.padStart(2, '0'),
    hour: hour?.padStart(2, '0'),
    minute,
    second,
    fraction,
    half,
    offset,
  };
}

function inOrder(parts: Parts, order: Order): Parts {
  return order === 'day' ? parts : { ...parts, day: parts.month, month: parts.day };
}

function dayOf({ year, month, day }: Parts): string {
  return `${year}-${month}-${day}`;
}

/** What a date proves: undefined when day and month are the same number, `none` when it is a date in no order. */
function provenOrder(date: Parts | undefined): Order | 'ambiguous' | 'none' | undefined {
  if (!date) return 'none';
  const [day, month] = [isDate(date), isDate(inOrder(date, 'month'))];
  if (!day || !month) return day ? 'day' : month ? 'month' : 'none';
  return date.day === date.month ? undefined : 'ambiguous';
}

const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];

/** Two digits for an English name of a month or its beginning; `00` for anything else. */
function monthOf(name: string): string {
  const start = name.toLowerCase().replace(/^sept$/, 'sep');
  const at = months.findIndex((month) => month === start || month.slice(0, 3) === start);
  return String(at + 1).padStart(2, '0');
}
