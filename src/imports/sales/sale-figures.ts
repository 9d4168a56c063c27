import type { SaleField } from '../../config-source.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import { isOrWasCurrency } from '../../money.ts';
import type { RowFault } from '../faults.ts';
import type { CsvRecord } from '../files/records.ts';
import type { Noted } from '../noted.ts';
import { AmountColumn, type AmountSettings } from '../values/amounts.ts';
import { textOf, writtenIn } from '../values/cells.ts';
import { DateColumn } from '../values/date-column.ts';
import type { ReadDate } from '../values/dates.ts';
import { Horizon } from '../values/horizon.ts';
import type { DecimalMark } from '../values/numbers.ts';
import { type Evidence, unproven } from '../values/styles.ts';
import { Controls } from './controls.ts';
import type { PlacedColumn } from './prove.ts';

type AmountField = 'amount' | 'expense' | 'refunded_total';

/** How the figures of a file are written and where they stand. */
export interface FigureSettings extends AmountSettings {
  /** The path of the file, for messages. */
  shown: string;
  header: string[];
  /** The index of each field's column; -1 for none. */
  at: Record<SaleField, number>;
  defaults: Partial<Record<SaleField, string>>;
  dateFormat: string | undefined;
  zone: string;
  /** The clock of the import. */
  now: Date;
}

/**
 * The amounts and dates of one file's rows: what `read` has read last is put into a sale by the other functions. They
 * are read in every row and before all else, because what they prove must not depend on what else is wrong with a row.
 */
export class SaleFigures {
  readonly amount: AmountColumn;
  readonly controls = new Controls();
  /** The columns whose values prove how they are written. */
  readonly styled: PlacedColumn[];
  readonly #expense: AmountColumn;
  readonly #total: AmountColumn;
  readonly #date: DateColumn;
  readonly #settings: FigureSettings;
  readonly #horizon: Horizon;
  #currency = '';
  #amountFault: string | undefined;
  #expenseFault: string | undefined;
  #totalFault: string | undefined;
  #occurred: ReadDate | string = '';

  constructor(settings: FigureSettings) {
    const { shown, at, defaults, zone } = settings;
    const amounts = (field: AmountField) =>
      new AmountColumn({ file: shown, field }, settings, defaults[field], settings.header[at[field]]);
    this.#settings = settings;
    this.#horizon = new Horizon(settings.now);
    this.amount = amounts('amount');
    this.#expense = amounts('expense');
    this.#total = amounts('refunded_total');
    this.#date = new DateColumn(
      { file: shown, field: 'occurred_at' },
      { format: settings.dateFormat, zone, fallback: defaults.occurred_at },
    );
    this.styled = [
      { field: 'amount', at: at.amount, column: this.amount },
      { field: 'expense', at: at.expense, column: this.#expense },
      { field: 'refunded_total', at: at.refunded_total, column: this.#total },
      { field: 'occurred_at', at: at.occurred_at, column: this.#date },
    ].filter((one) => one.at !== -1);
  }

  /** What has shown so far how the columns are written, those of which no source says it. */
  get evidence(): Evidence[] {
    return this.styled.flatMap(({ column }) => column.evidence ?? []);
  }

  /** The mark before the decimals in the columns of amounts, by their index, as far as it is known. */
  get decimals(): Map<number, DecimalMark | undefined> {
    const { at } = this.#settings;
    return new Map([
      [at.amount, this.amount.decimal],
      [at.expense, this.#expense.decimal],
      [at.refunded_total, this.#total.decimal],
    ]);
  }

  /** Raises `file-refused` for a style that nothing proves, or two do. */
  read(record: CsvRecord): typeof unproven | undefined {
    const date = this.#given(record, 'occurred_at');
    this.#amountFault = this.#readAmount(this.amount, 'amount', record);
    this.#expenseFault = this.#readAmount(this.#expense, 'expense', record);
    this.#totalFault = this.#readAmount(this.#total, 'refunded_total', record);
    this.#occurred = this.#isTyped(record, 'occurred_at')
      ? this.#date.readTyped(date, record.line)
      : this.#date.read(date, record.line);
    if (this.#amountFault === unproven || this.#expenseFault === unproven) return unproven;
    if (this.#totalFault === unproven || this.#occurred === unproven) return unproven;
    this.#currency = this.#text(record, 'currency').toUpperCase();
    const isReadable = this.#amountFault === undefined && this.#currency !== '';
    if (isReadable) this.controls.add(this.#currency, this.amount);
    else this.controls.addUnreadable(record.line, writtenIn(record, this.#settings.at.amount));
    return undefined;
  }

  money(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    const currency = this.#currency;
    if (currency === '') return this.#fault('currency', 'required', record);
    if (!isOrWasCurrency(currency)) return { code: 'currency-unknown', field: 'currency', found: currency };
    sale.currency = currency;
    const isRefund = sale.refundOf !== undefined;
    const hasTotal = this.#totalFault !== 'required';
    const isTotal = isRefund && hasTotal && this.#amountFault === 'required';
    const minor = isTotal ? 0n : (this.#amountFault ?? this.amount.minorUnits(currency));
    if (typeof minor === 'string') return this.#fault('amount', minor, record);
    if (minor < 0n && !isRefund)
      return { code: 'amount-negative', field: 'amount', found: this.#text(record, 'amount') };
    sale.amount = minor;
    if (hasTotal || isRefund) {
      const total = hasTotal ? (this.#totalFault ?? this.#total.minorUnits(currency)) : 0n;
      if (typeof total === 'string') return this.#fault('refunded_total', total, record);
      const fault = refunded(sale, isTotal, total < 0n ? -total : total);
      if (fault || isRefund) return fault;
    }
    if (this.#expenseFault === 'required') return undefined;
    const cost = this.#expenseFault ?? this.#expense.minorUnits(currency);
    if (typeof cost === 'string') return this.#fault('expense', cost, record);
    if (cost < 0n) return { code: 'number-format', field: 'expense', found: this.#text(record, 'expense') };
    sale.expense = cost;
    return undefined;
  }

  /** A local time that comes twice in its night goes to `twice`, a moment that is still to come to `ahead`. */
  moment(
    sale: StagedSale,
    record: CsvRecord,
    { twice, ahead }: Record<'twice' | 'ahead', Noted>,
  ): RowFault | undefined {
    const read = this.#occurred;
    if (typeof read === 'string') return this.#fault('occurred_at', read, record);
    const horizon = this.#horizon.of(read.instant);
    if (horizon === 'far') return this.#fault('occurred_at', 'date-future', record);
    if (horizon === 'ahead') ahead.add(record.line);
    if (read.twice) twice.add(record.line);
    sale.occurredAt = read.instant;
    sale.occurredAtGiven = true;
    return undefined;
  }

  #fault(field: SaleField, code: string, record: CsvRecord): RowFault {
    if (code === 'required') return { code, field, found: writtenIn(record, this.#settings.at[field]) };
    const text = this.#text(record, field);
    if (text === '' || !ofCurrency.has(code)) return { code, field, found: text };
    const column = { amount: this.amount, expense: this.#expense, refunded_total: this.#total }[
      field as AmountField
    ];
    return { code, field, found: `${column.withCurrency(text)} ${this.#currency}` };
  }

  #readAmount(column: AmountColumn, field: AmountField, record: CsvRecord): string | undefined {
    const text = this.#given(record, field);
    return text !== '' && this.#isTyped(record, field)
      ? column.readTyped(text)
      : column.read(text, record.line);
  }

  #isTyped(record: CsvRecord, field: SaleField): boolean {
    return record.typed?.[this.#settings.at[field]] === true;
  }

  /** The text of a cell itself, whatever an empty one stands for. */
  #given(record: CsvRecord, field: SaleField): string {
    const index = this.#settings.at[field];
    return index < 0 ? '' : textOf(record.cells[index]!);
  }

  #text(record: CsvRecord, field: SaleField): string {
    return this.#given(record, field) || (this.#settings.defaults[field] ?? '');
  }
}

/** Makes a row the refund that it is, or gives a sale what was refunded of it. Sizes count: exports write either sign. */
function refunded(sale: StagedSale, isTotal: boolean, total: bigint): RowFault | undefined {
  if (sale.refundOf === undefined) {
    sale.refundedTotal = total;
    if (total <= sale.amount!) return undefined;
    return { code: 'refund-exceeds', field: 'refunded_total', found: sale.externalId! };
  }
  sale.isTotal = isTotal;
  if (isTotal) sale.amount = total;
  else if (sale.amount! < 0n) sale.amount = -sale.amount!;
  return sale.amount === 0n ? { code: 'refund-zero', field: 'amount', found: '' } : undefined;
}

/** What is wrong with an amount only because of its currency, which may stand in another cell. */
const ofCurrency = new Set(['amount-currency', 'amount-decimals', 'amount-too-large']);
