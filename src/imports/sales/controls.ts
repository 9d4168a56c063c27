import { PayrunError } from '../../errors.ts';
import { isOrWasCurrency, showCount } from '../../money.ts';
import type { CsvRecord } from '../files/record-reading.ts';
import type { AmountColumn } from '../values/amounts.ts';
import { difference, type ExactNumber, scaled, showSum } from '../values/numbers.ts';

/** What the rows of a file come to, whatever becomes of each: to be compared with totals from elsewhere. */
export class Controls {
  /** Rows of data. */
  rows = 0;
  /** Rows of which no amount or currency could be read. */
  unreadable = 0;
  readonly #sums = new Map<string, ExactNumber>();
  #last = '';
  #sum: ExactNumber = { units: 0n, scale: 0 };

  addUnreadable(): void {
    this.rows += 1;
    this.unreadable += 1;
  }

  /** A row that is none with an amount, such as an event that moves no money. */
  addWithoutAmount(): void {
    this.rows += 1;
  }

  /** `currency` as the row has it, in capitals. */
  add(currency: string, { units, scale }: ExactNumber): void {
    this.rows += 1;
    if (currency !== this.#last) this.#turnTo(currency);
    const sum = this.#sum;
    if (scale === sum.scale) sum.units += units;
    else addScaled(sum, units, scale);
  }

  /** The exact sum of the amounts of each currency. */
  get sums(): ReadonlyMap<string, Readonly<ExactNumber>> {
    return this.#sums;
  }

  #turnTo(currency: string): void {
    this.#last = currency;
    this.#sum = this.#sums.get(currency) ?? { units: 0n, scale: 0 };
    this.#sums.set(currency, this.#sum);
  }
}

function addScaled(sum: ExactNumber, units: bigint, scale: number): void {
  const wider = Math.max(sum.scale, scale);
  sum.units = scaled(sum, wider) + scaled({ units, scale }, wider);
  sum.scale = wider;
}

/**
 * Compares the totals that stand below the rows with what the rows come to. Returns sentences worth knowing. Raises
 * `file-refused` for totals that differ from the sum of all rows of their currency; totals without a currency are
 * compared where the file has one only.
 */
export function compareTotals(
  totals: CsvRecord[],
  controls: Controls,
  at: { amount: number | undefined; currency: number | undefined },
  amounts: AmountColumn,
  shown: string,
): string[] {
  return totals.map((record) => {
    const where = `the totals in line ${record.line}`;
    const text = record.cells[at.amount ?? -1]?.trim() ?? '';
    if (text === '') return `${where} have no amount to compare the rows with`;
    const currency = currencyOf(record.cells[at.currency ?? -1]?.trim().toUpperCase() ?? '', controls);
    if (currency === undefined) return `${where} were not compared: the rows have several currencies`;
    const sum = controls.sums.get(currency) ?? { units: 0n, scale: 0 };
    const readings = amounts.readings(text);
    if (readings.some((one) => difference(one, sum).units === 0n)) return `${where} agree with the rows`;
    const rows = `${showCount(controls.rows)} ${controls.rows === 1 ? 'row' : 'rows'}`;
    const said = readings[0];
    throw new PayrunError(
      'file-refused',
      `The totals row does not agree with the ${rows} above it: ${said ? apart(said, sum, currency, controls.rows) : `"${text}" is no amount`}.${unreadable(controls)}`,
      {
        place: { file: shown, line: record.line, field: 'amount' },
        found: text,
        todo: 'Export the file again: rows are missing or were changed. Or remove the totals row. Nothing of the file was recorded.',
      },
    );
  });
}

function currencyOf(stated: string, { sums }: Controls): string | undefined {
  if (isOrWasCurrency(stated) || sums.size === 0) return stated;
  return sums.size === 1 ? [...sums.keys()][0] : undefined;
}

function apart(said: ExactNumber, sum: ExactNumber, currency: string, rows: number): string {
  const { units, scale } = difference(sum, said);
  const show = (one: ExactNumber) => showSum(one, currency);
  const size = show({ units: units < 0n ? -units : units, scale });
  return `it says ${`${show(said)} ${currency}`.trim()}, ${rows === 1 ? 'the row comes' : 'they add up'} to ${show(sum)}, which is ${size} ${units < 0n ? 'less' : 'more'}`;
}

function unreadable(controls: Controls): string {
  if (controls.unreadable === 0) return '';
  const one = controls.unreadable === 1;
  return ` ${showCount(controls.unreadable)} ${one ? 'row has' : 'rows have'} no amount that can be read.`;
}
