import type { SourceConfig } from '../config.ts';
import { type SaleField, saleFields } from '../config-schema.ts';
import type { ProgramRow, SalesStatus } from '../db/tables.ts';
import type { StagedSale } from '../ledger/stage.ts';
import { isCurrency, parseAmount } from '../money.ts';
import type { Columns } from './columns.ts';
import { dateReader } from './dates.ts';
import type { RowFault } from './faults.ts';
import type { Rates } from './rates.ts';
import type { CsvRecord } from './records.ts';
import { affiliateName, composed, listOf, setExchange, textOf, unquoted } from './values.ts';

/** What turning cells into sales depends on besides the cells. */
export interface SaleReading {
  columns: Columns<SaleField>;
  /** How many cells the header has. */
  width: number;
  settings: Pick<SourceConfig, 'decimal' | 'date_format' | 'id_prefix' | 'defaults' | 'timezone'>;
  program: Pick<ProgramRow, 'currency' | 'timezone'>;
  rates: Rates;
}

/** Counts of things that are no faults but that a person should hear of. */
export interface Warnings {
  timesThatComeTwice: number;
}

export const requiredSaleFields: readonly SaleField[] = [
  'external_id',
  'affiliate',
  'amount',
  'currency',
  'occurred_at',
];

const statuses = new Set(['open', 'complete', 'trialing', 'failed']);
/** What a spreadsheet makes of a long number. */
export const destroyedId = /^\d(?:[.,]\d+)?[eE]\+?\d+$/;
const longestId = 255;

/** A function that turns a CSV record into a staged sale, faulty or not; it is compiled once a file. */
export function saleReader(reading: SaleReading, warnings: Warnings): (record: CsvRecord) => StagedSale {
  const { columns, settings, program } = reading;
  const zone = settings.timezone ?? program.timezone;
  const readDate = dateReader(settings.date_format, zone);
  const readTyped = dateReader('iso', zone);
  const at = Object.fromEntries(saleFields.map((field) => [field, columns.get(field) ?? -1])) as Record<
    SaleField,
    number
  >;
  const defaults = settings.defaults ?? {};
  const cell = (record: CsvRecord, field: SaleField): string => {
    const index = at[field];
    const text = index < 0 ? '' : textOf(record.cells[index]!);
    return text === '' ? (defaults[field] ?? '') : text;
  };

  const isTyped = (record: CsvRecord, field: SaleField): boolean => record.typed?.[at[field]] === true;
  const decimalOf = (record: CsvRecord, field: SaleField) =>
    isTyped(record, field) ? '.' : settings.decimal;

  return (record) => {
    const sale: StagedSale = { n: record.n, line: record.line };
    const fault = fill(sale, record);
    return fault
      ? {
          n: record.n,
          line: record.line,
          fault: fault.code,
          faultField: fault.field,
          faultFound: fault.found,
        }
      : sale;
  };

  function fill(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    if (record.cells.length !== reading.width) {
      return {
        code: 'ragged',
        field: '',
        found: `${record.cells.length} cells where the header has ${reading.width}`,
      };
    }
    const nul = record.cells.findIndex((text) => text.includes('\0'));
    if (nul !== -1) return { code: 'nul', field: '', found: `cell ${nul + 1}` };
    const fault = identity(sale, record) ?? money(sale, record) ?? moment(sale, record);
    // A refund takes back a part of its sale's commission: everything else about it stands with the sale.
    if (fault || sale.refundOf !== undefined) return fault;
    return exchange(sale) ?? terms(sale, record);
  }

  function identity(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    const id = composed(unquoted(cell(record, 'external_id')));
    if (id === '') return { code: 'required', field: 'external_id', found: '' };
    if (destroyedId.test(id)) return { code: 'id-destroyed', field: 'external_id', found: id };
    sale.externalId = settings.id_prefix + id;
    sale.affiliate = affiliateName(unquoted(cell(record, 'affiliate')));
    sale.customerId = composed(unquoted(cell(record, 'customer_id'))) || undefined;
    sale.email = composed(unquoted(cell(record, 'customer_email')).replace(/^mailto:/i, '')) || undefined;
    const refundOf = at.refund_of < 0 ? '' : composed(unquoted(cell(record, 'refund_of')));
    if (refundOf !== '') {
      if (destroyedId.test(refundOf)) return { code: 'id-destroyed', field: 'refund_of', found: refundOf };
      sale.refundOf = settings.id_prefix + refundOf;
      if (sale.refundOf === sale.externalId)
        return { code: 'refund-id-of-sale', field: 'external_id', found: sale.externalId };
    }
    for (const field of ['externalId', 'affiliate', 'customerId', 'email', 'refundOf'] as const) {
      if ((sale[field]?.length ?? 0) > longestId)
        return { code: 'too-long', field: columnOf[field], found: sale[field]!.slice(0, 80) };
    }
    return undefined;
  }

  function money(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    const currency = cell(record, 'currency').toUpperCase();
    if (currency === '') return { code: 'required', field: 'currency', found: '' };
    if (!isCurrency(currency)) return { code: 'currency-unknown', field: 'currency', found: currency };
    sale.currency = currency;
    const text = cell(record, 'amount');
    const total = at.refunded_total < 0 && !defaults.refunded_total ? '' : cell(record, 'refunded_total');
    if (text === '' && (sale.refundOf === undefined || total === ''))
      return { code: 'required', field: 'amount', found: '' };
    const amount = text === '' ? 0n : parseAmount(text, currency, decimalOf(record, 'amount'));
    if (typeof amount === 'string') return { code: amount, field: 'amount', found: `${text} ${currency}` };
    if (amount < 0n && sale.refundOf === undefined)
      return { code: 'amount-negative', field: 'amount', found: text };
    sale.amount = amount;
    if (total !== '' || sale.refundOf !== undefined) {
      const refunded = total === '' ? 0n : parseAmount(total, currency, decimalOf(record, 'refunded_total'));
      if (typeof refunded === 'string')
        return { code: refunded, field: 'refunded_total', found: `${total} ${currency}` };
      return refund(sale, text === '', refunded < 0n ? -refunded : refunded);
    }
    const expense = cell(record, 'expense');
    if (expense === '') return undefined;
    const cost = parseAmount(expense, currency, decimalOf(record, 'expense'));
    if (typeof cost === 'string') return { code: cost, field: 'expense', found: `${expense} ${currency}` };
    if (cost < 0n) return { code: 'number-format', field: 'expense', found: expense };
    sale.expense = cost;
    return undefined;
  }

  /** Sizes count, because exports write refunds with either sign. */
  function refund(sale: StagedSale, isTotal: boolean, total: bigint): RowFault | undefined {
    if (sale.refundOf === undefined) {
      sale.refundedTotal = total === 0n ? undefined : total;
      if (total <= sale.amount!) return undefined;
      return { code: 'refund-exceeds', field: 'refunded_total', found: sale.externalId! };
    }
    sale.isTotal = isTotal;
    if (isTotal) sale.amount = total;
    else if (sale.amount! < 0n) sale.amount = -sale.amount!;
    return sale.amount === 0n ? { code: 'refund-zero', field: 'amount', found: '' } : undefined;
  }

  function moment(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    const text = cell(record, 'occurred_at');
    if (text === '') return { code: 'required', field: 'occurred_at', found: '' };
    const read = isTyped(record, 'occurred_at') ? readTyped(text) : readDate(text);
    if (typeof read === 'string') return { code: read, field: 'occurred_at', found: text };
    if (read.twice) warnings.timesThatComeTwice += 1;
    sale.occurredAt = read.instant;
    sale.occurredAtGiven = true;
    return undefined;
  }

  function exchange(sale: StagedSale): RowFault | undefined {
    return setExchange(sale, program, reading.rates);
  }

  function terms(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    sale.productIds = listOf(unquoted(cell(record, 'product_ids')));
    sale.priceIds = listOf(unquoted(cell(record, 'price_ids')));
    const interval = cell(record, 'interval').toLowerCase();
    if (interval !== '' && interval !== 'monthly' && interval !== 'yearly') {
      return { code: 'choice', field: 'interval', found: interval };
    }
    sale.interval = interval || undefined;
    const subscription = cell(record, 'is_subscription').toLowerCase();
    if (subscription !== '' && !booleans.has(subscription))
      return { code: 'choice', field: 'is_subscription', found: subscription };
    sale.isSubscription = booleans.get(subscription);
    const status = cell(record, 'sales_status').toLowerCase() || 'complete';
    if (status === 'refunded' || status === 'partial_refunded')
      return { code: 'status-refund', field: 'sales_status', found: status };
    if (!statuses.has(status)) return { code: 'choice', field: 'sales_status', found: status };
    sale.salesStatus = status as SalesStatus;
    const hold = cell(record, 'hold_days');
    if (hold !== '' && !/^\d{1,4}$/.test(hold))
      return { code: 'number-format', field: 'hold_days', found: hold };
    sale.holdDays = hold === '' ? undefined : Number(hold);
    sale.note = unquoted(cell(record, 'note')) || undefined;
    return undefined;
  }
}

const booleans = new Map([
  ...['true', 'yes', '1'].map((text) => [text, true] as const),
  ...['false', 'no', '0'].map((text) => [text, false] as const),
]);
const columnOf = {
  externalId: 'external_id',
  affiliate: 'affiliate',
  customerId: 'customer_id',
  email: 'customer_email',
  refundOf: 'refund_of',
};
