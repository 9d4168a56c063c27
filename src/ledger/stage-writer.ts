import { CopyLines, copyText, SortedCopyLines } from '../db/copy.ts';
import { Dictionary } from './dictionary.ts';
import { fold, type StagedSale } from './stage.ts';

/** Rows on their way to the stage, with the names and terms that are new in them. */
export interface Packet {
  /** The columns of the stage that the lines of sales have. */
  columns: readonly string[];
  /**
   * COPY text of the sales, in order of external ids, so that looking each up and inserting it finds the page of the
   * one before still at hand.
   */
  sales: Buffer;
  count: number;
  /** Whether all of the sales name an affiliate. */
  areNamed: boolean;
  /** Rows that were found faulty: they are rejected without being staged. */
  faults: CopyLines;
  names: CopyLines;
  terms: CopyLines;
  /** The names and terms of earlier packets are forgotten, on both sides. */
  startsAnew: boolean;
}

type Value = (sale: StagedSale, numbers: { names: Dictionary; terms: Dictionary }) => string | undefined;

/** A column of the staging table: its name, the field that it needs, and how a sale fills it (undefined is NULL). */
type Column = readonly [name: string, field: keyof StagedSale, value: Value];

/** The columns that every line has behind its id. */
const always: readonly Column[] = [
  ['n', 'n', (sale) => String(sale.n)],
  ['line', 'line', (sale) => String(sale.line)],
  ['terms_no', 'n', (sale, { terms }) => terms.numberOf(termsKey(sale), () => termsLine(sale))],
];
/** Those that lines have once a sale has the field. */
const ofSales: readonly Column[] = [
  ['external_id', 'externalId', (sale) => copyText(sale.externalId)],
  [
    'name_no',
    'affiliate',
    ({ affiliate }, { names }) => affiliate && names.numberOf(affiliate, () => nameLine(affiliate)),
  ],
  ['amount', 'amount', (sale) => sale.amount?.toString()],
  ['currency', 'currency', (sale) => sale.currency],
  ['occurred_at', 'occurredAt', (sale) => sale.occurredAt],
  ['occurred_at_given', 'occurredAtGiven', (sale) => flag(sale.occurredAtGiven)],
  ['sales_status', 'salesStatus', (sale) => sale.salesStatus],
  ['stated_referral_id', 'referralId', (sale) => sale.referralId],
  ['referral_ref', 'referralRef', (sale) => copyText(sale.referralRef)],
  ['customer_id', 'customerId', (sale) => copyText(sale.customerId)],
  ['external_user_id', 'externalUserId', (sale) => copyText(sale.externalUserId)],
  ['click_id', 'clickId', (sale) => copyText(sale.clickId)],
  ['email', 'email', (sale) => copyText(sale.email)],
  ['email_folded', 'email', (sale) => copyText(fold(sale.email))],
  ['hold_days', 'holdDays', (sale) => sale.holdDays?.toString()],
  ['expense', 'expense', (sale) => sale.expense?.toString()],
  ['note', 'note', (sale) => copyText(sale.note)],
  ['metadata', 'metadata', (sale) => copyText(sale.metadata)],
  ['fx_rate', 'fxRate', (sale) => sale.fxRate],
  ['fx_minor_rate', 'fxRate', (sale) => sale.fxMinorRate],
  ['fx_day', 'fxRate', (sale) => sale.fxDay],
  ['fx_source', 'fxRate', (sale) => copyText(sale.fxSource)],
  ['unrefunded', 'refundedTotal', (sale) => flag(sale.refundedTotal === 0n || undefined)],
];
const ofEvents: readonly Column[] = [
  ['event_type', 'eventType', (sale) => sale.eventType],
  ['event_name', 'eventName', (sale) => copyText(sale.eventName)],
];

/** More texts than this are no repetition, and memory must not grow with them. */
const mostEntries = 10_000;

/** Bytes of a packet, several of which are under way: batches of usual rows stay below, those with long texts are cut here. */
const packetBytes = 3 << 20;

/** Collects sales as lines of COPY text for the stage of one import; `StageLoader` puts them there. */
export class StageWriter {
  readonly #idPrefix: string;
  readonly #keepsAll: boolean;
  readonly #dictionaries = { names: new Dictionary(), terms: new Dictionary() };
  readonly #sales = new SortedCopyLines();
  #columns: readonly string[] = ['id', ...always.map(([name]) => name)];
  readonly #values = always.map(([, , value]) => value);
  /** The columns that no sale has filled yet: what no row has is not sent a million times. */
  #empty: readonly Column[];
  #faults = new CopyLines();
  #areNamed = true;
  #startsAnew = false;
  #taken = 0;

  /**
   * The rows that sales become get ids of `idPrefix` and a running number. With `keepsAll`, names and terms stay for the
   * whole import, because its packets stay in the stage until the last. With `withEvents`, the events that they came
   * from are staged as well, which the recording of sales does not look at.
   */
  constructor(idPrefix: string, { keepsAll = false, withEvents = false } = {}) {
    this.#idPrefix = idPrefix;
    this.#keepsAll = keepsAll;
    this.#empty = withEvents ? [...ofSales, ...ofEvents] : ofSales;
  }

  /** Rows that wait to be taken. */
  get waiting(): number {
    return this.#sales.count + this.#faults.count;
  }

  /** Whether `rows` or more rows wait, or fewer that are so long that they fill the memory of a packet. */
  holds(rows: number): boolean {
    return this.waiting >= rows || this.#sales.length >= packetBytes;
  }

  add(sale: StagedSale): void {
    if (sale.fault) {
      this.#faults.add(faultLine(sale));
      return;
    }
    if (sale.affiliate === undefined) this.#areNamed = false;
    for (const [, field] of this.#empty) if (sale[field] !== undefined) this.#use(field);
    let line = '';
    for (const value of this.#values) line += `\t${value(sale, this.#dictionaries) ?? '\\N'}`;
    this.#sales.add(sale.externalId ?? '', `${line}\n`);
  }

  /** What was added since the last time. */
  take(): Packet {
    const { names, terms } = this.#dictionaries;
    const { count } = this.#sales;
    const packet = {
      columns: this.#columns,
      sales: this.#sales.take(this.#idPrefix, this.#taken),
      count,
      areNamed: this.#areNamed,
      faults: this.#faults,
      names: names.take(),
      terms: terms.take(),
      startsAnew: this.#startsAnew,
    };
    this.#taken += packet.count;
    this.#faults = new CopyLines();
    this.#areNamed = true;
    this.#startsAnew = !this.#keepsAll && Math.max(names.size, terms.size) > mostEntries;
    if (this.#startsAnew) for (const one of [names, terms]) one.forget();
    return packet;
  }

  /** From here on, lines have the columns of `field`; those that wait get them, empty. */
  #use(field: keyof StagedSale): void {
    const used = this.#empty.filter((column) => column[1] === field);
    if (used.length === 0) return;
    this.#empty = this.#empty.filter((column) => column[1] !== field);
    this.#columns = [...this.#columns, ...used.map(([name]) => name)];
    this.#values.push(...used.map(([, , value]) => value));
    this.#sales.lengthen('\t\\N'.repeat(used.length));
  }
}

/** No text holds a NUL, and no list an empty text: each combination of terms has a key of its own. */
function termsKey({ productIds, priceIds, interval, isSubscription }: StagedSale): string {
  const products = productIds?.join('\0') ?? '';
  const prices = priceIds?.join('\0') ?? '';
  return `${products}\0\0${prices}\0\0${interval ?? ''}\0\0${isSubscription ?? ''}`;
}

function termsLine({ productIds, priceIds, interval, isSubscription }: StagedSale): string {
  return [list(productIds), list(priceIds), interval, flag(isSubscription)]
    .map((text) => text ?? '\\N')
    .join('\t');
}

function nameLine(affiliate: string): string {
  return `${copyText(fold(affiliate))}\t${copyText(affiliate)}`;
}

function faultLine({ n, line, fault, faultField, faultFound, customerId, email }: StagedSale): string {
  const what = [n, line, 'rejected', fault, copyText(faultField) ?? '', copyText(faultFound) ?? ''];
  return `${[...what, copyText(customerId) ?? '\\N', copyText(fold(email)) ?? '\\N'].join('\t')}\n`;
}

function flag(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? 't' : 'f';
}

function list(values: string[] | undefined): string | undefined {
  if (!values) return undefined;
  return copyText(`{${values.map((value) => `"${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`);
}
