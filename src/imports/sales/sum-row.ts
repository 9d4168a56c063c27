import type { SaleField } from '../../config-source.ts';
import type { Columns } from '../columns.ts';
import type { RowFault } from '../faults.ts';
import type { CsvFile, CsvRecord } from '../files/records.ts';
import { textOf } from '../values/cells.ts';
import { isSumOf } from './controls.ts';
import type { SaleFigures } from './sale-figures.ts';

/** What names a partner, if only by a customer, or a day. */
const own = ['affiliate', 'customer_id', 'customer_email', 'occurred_at'] as const;

/**
 * Tells a last row that is the sum of the rows above it and has no partner or date of its own: whatever it is called, it
 * is no sale.
 */
export class SumRow {
  readonly #csv: CsvFile;
  readonly #columns: Columns<SaleField>;
  readonly #figures: SaleFigures;
  #fault: RowFault | undefined;

  constructor(csv: CsvFile, columns: Columns<SaleField>, figures: SaleFigures) {
    this.#csv = csv;
    this.#columns = columns;
    this.#figures = figures;
  }

  /**
   * The rows, each once those above it are read. One that is labelled as totals may be is put to those of the file; any
   * other sum has a fault.
   */
  async *rows(): AsyncGenerator<CsvRecord[]> {
    for await (const group of this.#csv.groups) {
      const final = group.at(-1);
      if (!final?.isLast) {
        yield group;
        continue;
      }
      yield group.slice(0, -1);
      if (!this.#isSum(final)) yield [final];
      else if (this.#isLabelled(final)) this.#csv.beside.totals.unshift(final);
      else {
        this.#fault = { code: 'sum-row', field: 'amount', found: this.#text(final, 'amount') };
        yield [final];
      }
    }
  }

  faultOf(record: CsvRecord): RowFault | undefined {
    return record.isLast ? this.#fault : undefined;
  }

  #isSum(record: CsvRecord): boolean {
    const { controls, amount } = this.#figures;
    if (controls.rows < 2 || record.cells.length !== this.#csv.header.length) return false;
    if (own.some((field) => this.#text(record, field) !== '')) return false;
    // Where no row has a partner and a date of its own, only its label sets it apart.
    const isApart = this.#columns.has('affiliate') || this.#columns.has('occurred_at');
    if (!isApart && !this.#isLabelled(record)) return false;
    const readings = amount.readings(this.#text(record, 'amount'));
    return isSumOf(readings, this.#text(record, 'currency').toUpperCase(), controls);
  }

  /** Whether what stands where the id should is none, or a word rather than an id. */
  #isLabelled(record: CsvRecord): boolean {
    const id = this.#text(record, 'external_id');
    return id === '' || !/\d/.test(id) || /\s/.test(id);
  }

  #text({ cells }: CsvRecord, field: SaleField): string {
    return textOf(cells[this.#columns.get(field) ?? -1] ?? '');
  }
}
