import type { SaleField } from '../config-source.ts';
import type { StagedSale } from '../ledger/stage.ts';
import { showAmount } from '../money.ts';
import type { Columns } from './columns.ts';
import { faultMessage } from './faults.ts';
import type { CsvRecord } from './files/records.ts';
import { hidden } from './hidden.ts';

/** A row or line as it is written, and as it was understood. */
export interface PreviewRow {
  line: number;
  /**
   * The column of a table or the key of an event, what stands there, and which field of a sale or an event it is. A field
   * that a preset makes has no column; the cells that it makes them of stand before, and are no field.
   */
  cells: { column: string; raw: string; field: string; understood: string }[];
  fault: { code: string; field: string; message: string } | null;
}

/** A field that a row or line may have. */
export type PreviewField =
  | SaleField
  | 'event_type'
  | 'event_name'
  | 'referral_id'
  | 'external_user_id'
  | 'click_id'
  | 'dispute_of';

/** How many rows a preview shows. */
export const firstRows = 3;

/** Keeps the first rows that go by. */
export class PreviewRows {
  readonly rows: PreviewRow[] = [];
  readonly #header: string[];
  readonly #columns: Columns<SaleField>;
  readonly #looksAt: number[];

  /** `columns` behind the `header` are made, of the cells of the columns `looksAt`. */
  constructor(header: string[], columns: Columns<SaleField>, looksAt: ReadonlySet<number> = new Set()) {
    this.#header = header;
    this.#columns = columns;
    const mapped = new Set(columns.values());
    this.#looksAt = [...looksAt].filter((at) => !mapped.has(at)).sort((a, b) => a - b);
  }

  get isFull(): boolean {
    return this.rows.length >= firstRows;
  }

  add(record: CsvRecord, sale: StagedSale): void {
    const written = (at: number) => hidden(record.cells[at] ?? '');
    const beside = this.#looksAt
      .filter((at) => written(at).trim() !== '')
      .map((at) => ({ column: this.#header[at]!, raw: written(at), field: '', understood: '' }));
    const fields = [...this.#columns].map(([field, at]) => ({
      column: this.#header[at] ?? '',
      raw: at < this.#header.length ? written(at) : '',
      field,
      understood: sale.fault === undefined ? hidden(understood[field](sale)) : '',
    }));
    this.rows.push({
      line: record.line,
      cells: [...beside, ...fields.filter(isSaid)],
      fault: shownFault(sale),
    });
  }
}

/** Whether a cell of the file is shown, or a field that was made and came to something. */
function isSaid({ column, raw, understood }: PreviewRow['cells'][number]): boolean {
  return column !== '' || raw !== '' || understood !== '';
}

/** What is wrong with a row, if anything. */
export function shownFault(
  sale: Pick<StagedSale, 'fault' | 'faultField' | 'faultFound'>,
): PreviewRow['fault'] {
  const { fault: code, faultField: field = '', faultFound: found = '' } = sale;
  return code === undefined ? null : { code, field, message: faultMessage(code, field, hidden(found)) };
}

/** A field of a sale or an event as a person reads it; empty where it has none. */
export const understood: Record<PreviewField, (sale: StagedSale) => string> = {
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
  dispute_of: (dispute) => dispute.refundOf ?? '',
  event_type: (event) => event.eventType ?? '',
  event_name: (event) => event.eventName ?? '',
  referral_id: (event) => event.referralRef ?? '',
  external_user_id: (event) => event.externalUserId ?? '',
  click_id: (event) => event.clickId ?? '',
};

function money(amount: bigint | undefined, { currency }: StagedSale): string {
  return amount === undefined ? '' : showAmount(amount, currency!);
}
