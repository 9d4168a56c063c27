import { minorUnitsOf } from '../../money.ts';
import { agreesWith, markerIn } from './currency-signs.ts';
import {
  amountParts,
  type DecimalMark,
  type ExactNumber,
  provenMark,
  readNumber,
  showExact,
} from './numbers.ts';
import { type ColumnPlace, type Evidence, type ProvenColumn, Style } from './styles.ts';

/** What a source may say of its amounts. */
export interface AmountSettings {
  decimal?: DecimalMark | undefined;
  /** What else than a minus sign says that an amount is negative. */
  negative?: 'parentheses' | 'CR' | 'DR' | undefined;
}

/** Digits beyond this are no amount of money, and reading them would take time. */
const mostDigits = 60;

/**
 * One column of amounts. What `read` has read last stands in `units`, `scale` and `marker`, so that a file of millions
 * of rows needs no object for each.
 */
export class AmountColumn implements ProvenColumn, ExactNumber {
  units = 0n;
  scale = 0;
  /** The currency that stands beside the number, as it is written; mostly empty. */
  marker = '';
  readonly #style: Style<DecimalMark>;
  readonly #settings: AmountSettings;
  readonly #default: ExactNumber | undefined;
  /** The currency that stands in the column's header, as it is written; mostly empty. */
  readonly #headed: string;
  /** The mark that is settled, as a character's code, for the look at plain numbers; 0 until then. */
  #mark = 0;

  /**
   * `fallback` is what an empty cell stands for; it is written with the source's decimal mark, or a point. `header` may name
   * the currency of the column's amounts.
   */
  constructor(place: ColumnPlace, settings: AmountSettings, fallback: string | undefined, header = '') {
    this.#headed = markerIn(header);
    this.#settings = settings;
    this.#style = new Style(
      place,
      { '.': 'a decimal point', ',': 'a decimal comma' },
      { name: 'decimal ("." or ",")', example: '"decimal": ","' },
    );
    if (settings.decimal) this.#settle(settings.decimal);
    this.#default = fallback === undefined ? undefined : readNumber(fallback, settings.decimal ?? '.');
  }

  /** The mark before the decimals, as the source says or the column has proven it. */
  get decimal(): DecimalMark | undefined {
    return this.#settings.decimal ?? this.#style.kind;
  }

  get evidence(): Evidence | undefined {
    return this.#style.evidence;
  }

  /** What was read last, which is written as `text`, with the currency of the header where it has none of its own. */
  withCurrency(text: string): string {
    return this.marker === '' && this.#headed !== '' ? `${text} ${this.#headed}` : text;
  }

  get isOpen(): boolean {
    return this.#mark === 0 && !this.#style.isClosed;
  }

  close(): void {
    this.#style.isClosed = true;
  }

  /**
   * Reads the trimmed text of a cell. Returns nothing when it is a number, the code of a fault, or `unproven` when the
   * column's style has to be looked for first. Raises `file-refused` for a style that nothing proves, or two do.
   */
  read(text: string, line: number): string | undefined {
    this.marker = '';
    if (text === '') return this.#take(this.#default, 'required');
    const point = this.#plainPoint(text);
    if (point === undefined) return this.#readOther(text, line);
    this.units = BigInt(point < 0 ? text : text.slice(0, point) + text.slice(point + 1));
    this.scale = point < 0 ? 0 : text.length - point - 1;
    return undefined;
  }

  /** Reads a cell that is a number by its type, whose text has a point whatever the column's style. */
  readTyped(text: string): string | undefined {
    this.marker = '';
    const parts = amountParts(text);
    if (!parts) return faultOf(text);
    this.marker = parts.marker;
    const fault = this.#take(readNumber(parts.number, '.'), 'amount-format');
    if (parts.isNegative) this.units = -this.units;
    return fault;
  }

  prove(text: string, line: number): void {
    const parts = amountParts(text);
    const mark = parts && provenMark(parts.number);
    if (mark === '.' || mark === ',') this.#prove(mark, text, line);
  }

  /** Every number that `text` may be in the column's style, or in any while that is open. */
  readings(text: string): ExactNumber[] {
    const parts = amountParts(text);
    if (!parts) return [];
    const marks: DecimalMark[] = this.#mark === 0 ? ['.', ','] : [this.decimal!];
    return marks.flatMap((mark) => {
      const number = readNumber(parts.number, mark);
      if (!number) return [];
      return this.#isNegative(parts) === true ? { ...number, units: -number.units } : number;
    });
  }

  /** What was read last, as minor units of `currency`, or the code of a fault. */
  minorUnits(currency: string): bigint | string {
    if (this.marker !== '') {
      const agrees = agreesWith(this.marker, currency);
      if (!agrees) return agrees === undefined ? 'amount-format' : 'amount-currency';
    }
    if (this.#headed !== '' && !agreesWith(this.#headed, currency)) return 'amount-currency';
    return minorUnitsOf(this.units, this.scale, currency);
  }

  #settle(decimal: DecimalMark): void {
    this.#mark = decimal.charCodeAt(0);
  }

  #prove(mark: DecimalMark, text: string, line: number): void {
    this.#style.prove(mark, text, line);
    this.#settle(mark);
  }

  /** Where the decimal mark is in digits and the settled mark alone, -1 for digits alone; nearly all amounts are that. */
  #plainPoint(text: string): number | undefined {
    const { length } = text;
    if (length > mostDigits) return undefined;
    let point = -1;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (code >= 48 && code <= 57) continue;
      if (code !== this.#mark || point !== -1 || at === 0 || at === length - 1) return undefined;
      point = at;
    }
    return point;
  }

  #readOther(text: string, line: number): string | undefined {
    const parts = amountParts(text);
    if (!parts) return faultOf(text);
    const proven = provenMark(parts.number);
    if (proven === 'none') return 'amount-grouping';
    const { decimal } = this.#settings;
    if (decimal === undefined && proven === 'ambiguous' && this.#mark === 0)
      return this.#style.undecided(text, line, this.readings(text).map(showExact));
    if (decimal === undefined && (proven === '.' || proven === ',')) this.#prove(proven, text, line);
    const isNegative = this.#isNegative(parts);
    if (isNegative === undefined) return 'amount-form';
    this.marker = parts.marker;
    const fault = this.#take(readNumber(parts.number, this.decimal ?? '.'), 'amount-mark');
    if (isNegative) this.units = -this.units;
    return fault;
  }

  /** Undefined for parentheses, CR or DR of which the source says nothing. */
  #isNegative({ isNegative, form }: { isNegative: boolean; form: string }): boolean | undefined {
    const { negative } = this.#settings;
    if (form === '') return isNegative;
    if (negative === undefined || (form !== '()' && negative === 'parentheses')) return undefined;
    return form === '()' || form === negative;
  }

  #take(number: ExactNumber | undefined, fault: string): string | undefined {
    if (!number) return fault;
    this.units = number.units;
    this.scale = number.scale;
    return undefined;
  }
}

function faultOf(text: string): string {
  if (text.length > mostDigits && /^\d+$/.test(text)) return 'amount-too-large';
  return /^[+-]?\d+(?:[.,]\d+)?e[+-]?\d+$/i.test(text) ? 'amount-exponent' : 'amount-format';
}
