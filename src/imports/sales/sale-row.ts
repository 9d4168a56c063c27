import type { SourceConfig } from '../../config.ts';
import { type SaleField, saleFields } from '../../config-source.ts';
import type { ProgramRow, SalesStatus } from '../../db/tables.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import type { Columns } from '../columns.ts';
import { type RowFault, spoiledRow } from '../faults.ts';
import type { CsvRecord } from '../files/records.ts';
import { Noted } from '../noted.ts';
import type { Rates } from '../rates.ts';
import { textOf, unquoted, writtenIn } from '../values/cells.ts';
import { unproven } from '../values/styles.ts';
import { affiliateName, composed, emailOf, Lists, setExchange } from '../values/values.ts';
import { SaleFigures } from './sale-figures.ts';

/** What turning cells into sales depends on besides the cells. */
export interface SaleReading {
  /** The path of the file, for messages. */
  shown: string;
  columns: Columns<SaleField>;
  header: string[];
  settings: Pick<
    SourceConfig,
    'decimal' | 'negative' | 'date_format' | 'id_prefix' | 'defaults' | 'timezone'
  >;
  program: Pick<ProgramRow, 'currency' | 'timezone'>;
  rates: Rates;
  /** The clock of the import. */
  now: Date;
}

/** Things that are no faults but that a person should hear of. */
export interface Warnings {
  timesThatComeTwice: Noted;
  idsLikeDates: Noted;
  /** Dates that are still to come. */
  datesAhead: Noted;
  /** Texts that stand where an e-mail address should. */
  noEmails: Noted;
}

export function noWarnings(): Warnings {
  return {
    timesThatComeTwice: new Noted(),
    idsLikeDates: new Noted(),
    datesAhead: new Noted(),
    noEmails: new Noted(),
  };
}

/** Reads the rows of one file, and keeps what they come to. */
export interface SaleReader {
  /**
   * Turns a record into a staged sale, faulty or not; undefined when a style has to be looked for in the whole file
   * first, nothing of the record being kept. `spoiled` is a fault that was found in it before. Raises `file-refused` for a
   * style that nothing proves, or two do.
   */
  read(record: CsvRecord, spoiled?: RowFault): StagedSale | undefined;
  figures: SaleFigures;
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
/** What a spreadsheet makes of an article number such as 3-5 or MAR26. */
const likeDate = /^(?:\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{2})$/;
const longestId = 255;

/** A reader of one file's rows; what can be settled once a file is settled here. */
export function saleReader(reading: SaleReading, warnings: Warnings): SaleReader {
  const { columns, settings, program, header, shown } = reading;
  const defaults = settings.defaults ?? {};
  const at = Object.fromEntries(saleFields.map((field) => [field, columns.get(field) ?? -1])) as Record<
    SaleField,
    number
  >;
  const { decimal, negative, date_format: dateFormat } = settings;
  const zone = settings.timezone ?? program.timezone;
  const figures = new SaleFigures({
    shown,
    header,
    at,
    defaults,
    decimal,
    negative,
    dateFormat,
    zone,
    now: reading.now,
  });
  const cell = (record: CsvRecord, field: SaleField): string => {
    const index = at[field];
    const text = index < 0 ? '' : textOf(record.cells[index]!);
    return text === '' ? (defaults[field] ?? '') : text;
  };
  const lists = new Lists();

  return { read, figures };

  function read(record: CsvRecord, spoiled?: RowFault): StagedSale | undefined {
    const { n, line } = record;
    const sale: StagedSale = { n, line };
    let fault = spoiled ?? spoiledRow(record, header);
    if (fault) figures.controls.addUnreadable(line);
    else {
      if (figures.read(record) === unproven) return undefined;
      fault = fill(sale, record);
    }
    return fault
      ? { n, line: fault.line ?? line, fault: fault.code, faultField: fault.field, faultFound: fault.found }
      : sale;
  }

  function fill(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    const fault =
      identity(sale, record) ??
      figures.money(sale, record) ??
      figures.moment(sale, record, { twice: warnings.timesThatComeTwice, ahead: warnings.datesAhead });
    // A refund takes back a part of its sale's commission: everything else about it stands with the sale.
    if (fault || sale.refundOf !== undefined) return fault;
    return exchange(sale) ?? terms(sale, record);
  }

  function identity(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    const id = composed(unquoted(cell(record, 'external_id')));
    if (id === '')
      return { code: 'required', field: 'external_id', found: writtenIn(record, at.external_id) };
    if (destroyedId.test(id)) return { code: 'id-destroyed', field: 'external_id', found: id };
    if (id.length <= 6 && likeDate.test(id)) warnings.idsLikeDates.add(record.line);
    sale.externalId = settings.id_prefix + id;
    sale.affiliate = affiliateName(unquoted(cell(record, 'affiliate')));
    sale.customerId = composed(unquoted(cell(record, 'customer_id'))) || undefined;
    const email = unquoted(cell(record, 'customer_email'));
    sale.email = emailOf(email) || undefined;
    if (email !== '' && sale.email === undefined) warnings.noEmails.add(record.line);
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

  function exchange(sale: StagedSale): RowFault | undefined {
    return setExchange(sale, program, reading.rates);
  }

  function terms(sale: StagedSale, record: CsvRecord): RowFault | undefined {
    sale.productIds = lists.read(unquoted(cell(record, 'product_ids')));
    sale.priceIds = lists.read(unquoted(cell(record, 'price_ids')));
    const interval = cell(record, 'interval').toLowerCase();
    if (interval !== '' && interval !== 'monthly' && interval !== 'yearly') {
      return { code: 'choice', field: 'interval', found: interval };
    }
    sale.interval = interval || undefined;
    const subscription = cell(record, 'is_subscription').toLowerCase();
    if (subscription !== '' && !booleans.has(subscription))
      return { code: 'choice', field: 'is_subscription', found: subscription };
    sale.isSubscription = booleans.get(subscription);
    const status = cell(record, 'sales_status').toLowerCase();
    if (status === 'refunded' || status === 'partial_refunded')
      return { code: 'status-refund', field: 'sales_status', found: status };
    if (status !== '' && !statuses.has(status))
      return { code: 'choice', field: 'sales_status', found: status };
    sale.salesStatus = status === '' ? undefined : (status as SalesStatus);
    const hold = cell(record, 'hold_days');
    if (hold !== '' && !/^0*\d{1,4}$/.test(hold))
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
