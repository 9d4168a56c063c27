import { groupThousands, showCount } from '../../money.ts';
import { hidden } from '../hidden.ts';
import {
  amountParts,
  type DecimalMark,
  type ExactNumber,
  readNumber,
  scaled,
  showExact,
} from '../values/numbers.ts';

const mostValues = 50;
const shownValues = 6;
const longest = 24;

/** What stands in one column of a file: its values with their counts and, of amounts, their sum. */
export class ColumnValues {
  /** Cells that are not empty. */
  filled = 0;
  readonly #counts = new Map<string, number>();
  readonly #decimal: DecimalMark | undefined;
  #sum: ExactNumber = { units: 0n, scale: 0 };
  #unread = 0;

  /** `decimal` is the mark of amounts; undefined for a column that has none. */
  constructor(decimal?: DecimalMark) {
    this.#decimal = decimal;
  }

  add(cell: string): void {
    const text = cell.trim();
    if (text === '') return;
    this.filled += 1;
    if (this.#decimal === undefined) this.#count(text);
    else this.#addAmount(text, this.#decimal);
  }

  /** The values with the most rows first, shortened, without e-mail addresses; none of amounts. */
  values(): { value: string; rows: number }[] {
    return [...this.#counts]
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .map(([value, rows]) => ({ value: shortened(hidden(value)), rows }));
  }

  /** In words: `Paid 2, Failed 1`, or the sum of amounts. */
  describe(): string {
    if (this.#decimal !== undefined) return this.#describeSum();
    const values = this.values();
    const shown = values.slice(0, shownValues).map(({ value, rows }) => `${value} ${showCount(rows)}`);
    const told = values.slice(0, shownValues).reduce((sum, { rows }) => sum + rows, 0);
    if (told < this.filled) shown.push(`others ${showCount(this.filled - told)}`);
    return shown.join(', ');
  }

  #describeSum(): string {
    const [whole, decimals] = showExact(this.#sum).split('.');
    const sum = `sum ${groupThousands(whole!)}${decimals === undefined ? '' : `.${decimals}`}`;
    return this.#unread === 0 ? sum : `${sum}, ${showCount(this.#unread)} not read`;
  }

  #count(text: string): void {
    const known = this.#counts.get(text);
    if (known !== undefined || this.#counts.size < mostValues) this.#counts.set(text, (known ?? 0) + 1);
  }

  #addAmount(text: string, decimal: DecimalMark): void {
    const parts = amountParts(text);
    const number = parts && readNumber(parts.number, decimal);
    if (!parts || !number) {
      this.#unread += 1;
      return;
    }
    const scale = Math.max(number.scale, this.#sum.scale);
    const isNegative = parts.isNegative || parts.form === '()';
    const units = scaled(number, scale);
    this.#sum = { units: scaled(this.#sum, scale) + (isNegative ? -units : units), scale };
  }
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
