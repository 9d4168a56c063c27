import { CopyLines, copyText, SortedCopyLines } from '../db/copy.ts';
import { Dictionary } from './dictionary.ts';
import { fold, type StagedSale } from './stage.ts';

/** Rows on their way to the stage, with the names and terms that are new in them. */
export interface Packet {
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

/** One column of the staging table: its name, the field that it needs, and how a sale fills it (undefined is NULL). */
const columns: [name: string, field: keyof StagedSale, value: Value][] = [
  ['n', 'n', (sale) => String(sale.n)],
  ['line', 'line', (sale) => String(sale.line)],
  ['terms_no', 'n', (sale, { terms }) => terms.numberOf(termsKey(sale), () => termsLine(sale))],
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
  ['event_type', 'eventType', (sale) => sale.eventType],
  ['event_name', 'eventName', (sale) => copyText(sale.eventName)],
];

/** More texts than this are no repetition, and memory must not grow with them. */
const mostEntries = 10_000;

/** Bytes of a packet, several of which are under way: batches of usual rows stay below, those with long texts are cut here. */
const packetBytes = 3 << 20;

/** Collects sales as lines of COPY text for the stage of one import; `StageLoader` puts them there. */
export class StageWriter {
  /** The columns of the stage that the lines of sales have. */
  readonly columns: string[];
  readonly #used: Value[];
  readonly #idPrefix: string;
  readonly #keepsAll: boolean;
  readonly #dictionaries = { names: new Dictionary(), terms: new Dictionary() };
  readonly #sales = new SortedCopyLines();
  #faults = new CopyLines();
  #areNamed = true;
  #startsAnew = false;
  #taken = 0;

  /**
   * `fields` are those that the sales may have: what no row has is not sent a million times. The rows that sales
   * become get ids of `idPrefix` and a running number. With `keepsAll`, names and terms stay for the whole import,
   * because its packets stay in the stage until the last.
   */
  constructor(fields: Iterable<keyof StagedSale>, idPrefix: string, { keepsAll = false } = {}) {
    const wanted = new Set<keyof StagedSale>(['n', 'line', ...fields]);
    const used = columns.filter(([, field]) => wanted.has(field));
    this.#used = used.map(([, , value]) => value);
    this.columns = ['id', ...used.map(([name]) => name)];
    this.#idPrefix = idPrefix;
    this.#keepsAll = keepsAll;
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
    let line = '';
    for (const value of this.#used) line += `\t${value(sale, this.#dictionaries) ?? '\\N'}`;
    this.#sales.add(sale.externalId ?? '', `${line}\n`);
  }

  /** What was added since the last time. */
  take(): Packet {
    const { names, terms } = this.#dictionaries;
    const { count } = this.#sales;
    const packet = {
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
