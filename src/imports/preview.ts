import { sql } from 'kysely';
import type { SaleField } from '../config-schema.ts';
import type { Session } from '../db/connect.ts';
import type { StagedSale } from '../ledger/stage.ts';
import { formatAmount, showAmount } from '../money.ts';
import type { Columns } from './columns.ts';
import type { FoundEncoding } from './encoding.ts';
import { faultMessage } from './faults.ts';
import type { InputFile } from './open.ts';
import type { CsvFile, CsvRecord } from './records.ts';
import type { Evidence } from './styles.ts';

/** What a person looks at before a file is imported: how it was read, and what it would do for whom. */
export interface Preview {
  encoding: FoundEncoding;
  /** Null in a workbook. */
  delimiter: string | null;
  header_line: number;
  /** What showed how a column is written; columns that a source speaks of are not among them. */
  styles: Evidence[];
  /** The first rows, each cell of a field as it was written and as it was understood. */
  rows: PreviewRow[];
  /** The affiliates with the highest commissions, per currency; amounts are exact decimals. */
  affiliates: {
    affiliate: string;
    currency: string;
    sales: string;
    commissions: string;
    commission_currency: string;
    rows: number;
  }[];
}

export interface PreviewRow {
  line: number;
  cells: { column: string; raw: string; field: SaleField; understood: string }[];
  fault: { code: string; field: string; message: string } | null;
}

const firstRows = 3;
const topAffiliates = 10;

/** Keeps the first rows that go by. */
export class PreviewRows {
  readonly rows: PreviewRow[] = [];
  readonly #header: string[];
  readonly #columns: Columns<SaleField>;

  constructor(header: string[], columns: Columns<SaleField>) {
    this.#header = header;
    this.#columns = columns;
  }

  get isFull(): boolean {
    return this.rows.length >= firstRows;
  }

  add(record: CsvRecord, sale: StagedSale): void {
    const cells = [...this.#columns].map(([field, at]) => ({
      column: this.#header[at] ?? `#${at + 1}`,
      raw: record.cells[at] ?? '',
      field,
      understood: sale.fault === undefined ? understood[field](sale) : '',
    }));
    const { fault: code, faultField: field = '', faultFound: found = '' } = sale;
    const fault = code === undefined ? null : { code, field, message: faultMessage(code, field, found) };
    this.rows.push({ line: record.line, cells, fault });
  }
}

/** The preview of a file whose sales were recorded, in the transaction that is rolled back, under ids of `idPrefix`. */
export async function previewOf(
  session: Session,
  accountId: number,
  read: { file: InputFile; csv: CsvFile; styles: Evidence[]; rows: PreviewRow[]; idPrefix: string },
): Promise<Preview> {
  const { file, csv, styles, rows, idPrefix } = read;
  return {
    encoding: file.encoding,
    delimiter: csv.isTyped ? null : csv.delimiter,
    header_line: csv.headerLine,
    styles,
    rows,
    affiliates: await affiliatesOf(session, accountId, idPrefix),
  };
}

async function affiliatesOf(
  session: Session,
  accountId: number,
  idPrefix: string,
): Promise<Preview['affiliates']> {
  const top = await sql<{
    affiliate: string;
    currency: string;
    sales: bigint;
    commissions: bigint;
    commission_currency: string;
    rows: number;
  }>`/* imports.preview.affiliates */
    select a.ref as affiliate, c.currency, sum(c.amount)::bigint as sales,
      coalesce(sum(m.amount), 0)::bigint as commissions, coalesce(m.currency, c.currency) as commission_currency,
      count(*)::integer as rows
    from conversion c
    join affiliate a on a.account_id = c.account_id and a.id = c.affiliate_id
    left join commission m on m.account_id = c.account_id and m.id = c.id
    where c.account_id = ${accountId}
      and c.id between (${idPrefix} || '0000000000')::uuid and (${idPrefix} || 'ffffffffff')::uuid
    group by a.ref, c.currency, m.currency
    order by coalesce(sum(m.amount), 0) desc, sum(c.amount) desc, a.ref collate "C" limit ${topAffiliates}`.execute(
    session.sql,
  );
  return top.rows.map((row) => ({
    ...row,
    sales: formatAmount(row.sales, row.currency),
    commissions: formatAmount(row.commissions, row.commission_currency),
  }));
}

/** A field of a sale as a person reads it. */
const understood: Record<SaleField, (sale: StagedSale) => string> = {
  external_id: (sale) => sale.externalId ?? '',
  affiliate: (sale) => sale.affiliate ?? '',
  amount: (sale) => money(sale.amount, sale),
  currency: (sale) => sale.currency ?? '',
  occurred_at: (sale) => sale.occurredAt ?? '',
  customer_id: (sale) => sale.customerId ?? '',
  customer_email: (sale) => sale.email ?? '',
  product_ids: (sale) => sale.productIds?.join(', ') ?? '',
  price_ids: (sale) => sale.priceIds?.join(', ') ?? '',
  interval: (sale) => sale.interval ?? '',
  is_subscription: (sale) => (sale.isSubscription === undefined ? '' : String(sale.isSubscription)),
  sales_status: (sale) => sale.salesStatus ?? '',
  hold_days: (sale) => sale.holdDays?.toString() ?? '',
  expense: (sale) => money(sale.expense, sale),
  note: (sale) => sale.note ?? '',
  refund_of: (sale) => sale.refundOf ?? '',
  refunded_total: (sale) => money(sale.refundedTotal, sale),
};

function money(amount: bigint | undefined, { currency }: StagedSale): string {
  return amount === undefined ? '' : showAmount(amount, currency!);
}
