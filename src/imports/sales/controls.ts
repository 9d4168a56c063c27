import { PayrunError } from '../../errors.ts';
import { isOrWasCurrency, showCount } from '../../money.ts';
import type { CsvRecord } from '../files/record-reading.ts';
import type { AmountColumn } from '../values/amounts.ts';
import { difference, type ExactNumber, scaled, showSum } from '../values/numbers.ts';

/** What the rows of a file come to, whatever becomes of each: to be compared with totals from elsewhere. */
export class Controls {
  /** Rows of data. */
  rows = 0;
  /** Rows of which no amount or currency could be read, and where the first of them is, as far as that is told. */
  unreadable = 0;
  firstUnreadable: { line: number; text: string } | undefined;
  readonly #sums = new Map<string, ExactNumber>();
  #last = '';
  #sum: ExactNumber = { units: 0n, scale: 0 };

  addUnreadable(line?: number, text = ''): void {
    this.rows += 1;
    this.unreadable += 1;
    if (line !== undefined) this.firstUnreadable ??= { line, text };
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
    throw differs(record, text, readings[0], sum, { currency, controls, shown });
  });
}

/** Whether one of the readings of an amount is the sum of all rows of its currency, and more than nothing. */
export function isSumOf(readings: ExactNumber[], stated: string, controls: Controls): boolean {
  const sum = controls.sums.get(currencyOf(stated, controls) ?? '');
  return sum !== undefined && sum.units !== 0n && readings.some((one) => difference(one, sum).units === 0n);
}

function differs(
  { line }: CsvRecord,
  text: string,
  said: ExactNumber | undefined,
  sum: ExactNumber,
  { currency, controls, shown }: { currency: string; controls: Controls; shown: string },
): PayrunError {
  const rows = `${showCount(controls.rows)} ${controls.rows === 1 ? 'row' : 'rows'}`;
  const gap = said ? apart(said, sum, currency, controls.rows) : `"${text}" is no amount`;
  const unread = controls.firstUnreadable;
  if (unread && said)
    return new PayrunError(
      'file-refused',
      `${unreadable(controls)} The totals row in line ${line} can’t agree with the rest: ${gap}.`,
      {
        place: { file: shown, line: unread.line, field: 'amount' },
        ...(unread.text === '' ? {} : { found: unread.text }),
        todo: 'Correct the row, or remove the totals row, which has the row rejected by itself. Nothing of the file was recorded.',
      },
    );
  return new PayrunError('file-refused', `The totals row does not agree with the ${rows} above it: ${gap}.`, {
    place: { file: shown, line, field: 'amount' },
    found: text,
    todo: 'Export the file again: rows are missing or were changed. Or remove the totals row. Nothing of the file was recorded.',
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

function unreadable({ unreadable: rows, firstUnreadable: first }: Controls): string {
  const where = `line ${first!.line}${first!.text === '' ? '' : `: "${first!.text.slice(0, 80)}"`}`;
  return rows === 1
    ? `A row above the totals has no amount that can be read (${where}).`
    : `${showCount(rows)} rows above the totals have no amount that can be read (the first in ${where}).`;
}
