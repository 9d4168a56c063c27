import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { type CopyLines, copyIn, copyText } from '../db/copy.ts';
import type { SalesStatus } from '../db/tables.ts';

/**
 * A sale on its way into the ledger, the same whichever door it came through. Texts are trimmed; `affiliate` and
 * `email` are looked up folded; times are ISO 8601 with an offset; amounts are minor units of `currency`.
 * A row that was found faulty carries `fault` and is passed through, so that every row read is accounted for.
 */
export interface StagedSale {
  /** Number of the record in its file, from 1: order, identity within the import, and part of the new row's id. */
  n: number;
  line: number;
  fault?: string | undefined;
  faultField?: string | undefined;
  faultFound?: string | undefined;
  externalId?: string | undefined;
  affiliate?: string | undefined;
  amount?: bigint | undefined;
  currency?: string | undefined;
  occurredAt?: string | undefined;
  /** False when nobody said when it happened and the time of receipt stands in. */
  occurredAtGiven?: boolean | undefined;
  referralId?: string | undefined;
  referralRef?: string | undefined;
  customerId?: string | undefined;
  externalUserId?: string | undefined;
  clickId?: string | undefined;
  email?: string | undefined;
  productIds?: string[] | undefined;
  priceIds?: string[] | undefined;
  interval?: string | undefined;
  isSubscription?: boolean | undefined;
  salesStatus?: SalesStatus | undefined;
  holdDays?: number | undefined;
  expense?: bigint | undefined;
  note?: string | undefined;
  metadata?: string | undefined;
  /** Units of the programme's currency for one unit of the sale's, as the rate's source gives it. */
  fxRate?: string | undefined;
  /** The same between minor units. */
  fxMinorRate?: string | undefined;
  fxDay?: string | undefined;
  fxSource?: string | undefined;
  /** Of a line of an event log. */
  eventType?: 'conversion' | 'lead' | 'trial' | 'milestone' | undefined;
  eventName?: string | undefined;
}

/** One column of the staging table: its name, its SQL type, the field it needs, and how a sale fills it (undefined is NULL). */
const columns: Column[] = [
  ['n', 'integer not null', 'n', (sale) => String(sale.n)],
  ['line', 'integer not null', 'line', (sale) => String(sale.line)],
  ['external_id', 'text', 'externalId', (sale) => copyText(sale.externalId)],
  ['affiliate', 'text', 'affiliate', (sale) => copyText(fold(sale.affiliate))],
  ['affiliate_exact', 'text', 'affiliate', (sale) => copyText(sale.affiliate)],
  ['amount', 'bigint', 'amount', (sale) => sale.amount?.toString()],
  ['currency', 'text', 'currency', (sale) => sale.currency],
  ['occurred_at', 'timestamptz', 'occurredAt', (sale) => sale.occurredAt],
  ['occurred_at_given', 'boolean', 'occurredAtGiven', (sale) => flag(sale.occurredAtGiven)],
  ['sales_status', 'text', 'salesStatus', (sale) => sale.salesStatus],
  ['fault', 'text', 'fault', (sale) => sale.fault],
  ['fault_field', 'text', 'fault', (sale) => copyText(sale.faultField)],
  ['fault_found', 'text', 'fault', (sale) => copyText(sale.faultFound)],
  ['stated_referral_id', 'uuid', 'referralId', (sale) => sale.referralId],
  ['referral_ref', 'text', 'referralRef', (sale) => copyText(sale.referralRef)],
  ['customer_id', 'text', 'customerId', (sale) => copyText(sale.customerId)],
  ['external_user_id', 'text', 'externalUserId', (sale) => copyText(sale.externalUserId)],
  ['click_id', 'text', 'clickId', (sale) => copyText(sale.clickId)],
  ['email', 'text', 'email', (sale) => copyText(sale.email)],
  ['email_folded', 'text', 'email', (sale) => copyText(fold(sale.email))],
  ['product_ids', 'text[]', 'productIds', (sale) => list(sale.productIds)],
  ['price_ids', 'text[]', 'priceIds', (sale) => list(sale.priceIds)],
  ['interval', 'text', 'interval', (sale) => sale.interval],
  ['is_subscription', 'boolean', 'isSubscription', (sale) => flag(sale.isSubscription)],
  ['terms', 'text', 'n', (sale) => terms(sale)],
  ['hold_days', 'integer', 'holdDays', (sale) => sale.holdDays?.toString()],
  ['expense', 'bigint', 'expense', (sale) => sale.expense?.toString()],
  ['note', 'text', 'note', (sale) => copyText(sale.note)],
  ['metadata', 'jsonb', 'metadata', (sale) => copyText(sale.metadata)],
  ['fx_rate', 'numeric', 'fxRate', (sale) => sale.fxRate],
  ['fx_minor_rate', 'numeric', 'fxRate', (sale) => sale.fxMinorRate],
  ['fx_day', 'date', 'fxRate', (sale) => sale.fxDay],
  ['event_type', 'text', 'eventType', (sale) => sale.eventType],
  ['event_name', 'text', 'eventName', (sale) => copyText(sale.eventName)],
  ['fx_source', 'text', 'fxRate', (sale) => copyText(sale.fxSource)],
];

type Column = [
  name: string,
  type: string,
  field: keyof StagedSale,
  value: (sale: StagedSale) => string | undefined,
];

/** Creates the staging tables anew, for one import; they vanish with the transaction, however it ends. */
export async function createStage(session: Session): Promise<void> {
  const list = columns.map(([name, type]) => `${name} ${type}`).join(', ');
  await session.client.query(`
    set local work_mem = '64MB';
    drop table if exists pg_temp.stage, pg_temp.verdict, pg_temp.outcome, pg_temp.tally;
    create temp table stage (${list}) on commit drop;
    create temp table verdict (n integer not null, verdict text not null, affiliate_id uuid, referral_id uuid,
      other_affiliate boolean, fingerprint uuid) on commit drop;
    create temp table outcome (n integer not null, line integer not null, verdict text not null, code text, field text,
      found text) on commit drop;
    create temp table tally (kind text not null, affiliate_id uuid, currency text not null, amount numeric not null,
      lines bigint not null) on commit drop`);
}

/** Turns sales into lines of COPY text and puts them into the stage. */
export interface StageWriter {
  encode(sale: StagedSale): string;
  write(session: Session, lines: CopyLines): Promise<void>;
}

/** A writer for sales that have no other fields than `fields`: what no row has is not sent a million times. */
export function stageWriter(fields: Iterable<keyof StagedSale>): StageWriter {
  const wanted = new Set<keyof StagedSale>(['n', 'line', 'fault', ...fields]);
  const used = columns.filter(([, , field]) => wanted.has(field));
  const [, ...rest] = used.map(([, , , value]) => value);
  const statement = sql`copy stage (${sql.raw(used.map(([name]) => name).join(', '))}) from stdin`;
  return {
    encode(sale) {
      let line = String(sale.n);
      for (const value of rest) line += `\t${value(sale) ?? '\\N'}`;
      return `${line}\n`;
    },
    write: (session, lines) => copyIn(session, statement, lines),
  };
}

/** The form in which names of affiliates and e-mail addresses are compared: trimmed, NFC, without regard to case. */
export function fold(value: string | undefined): string | undefined {
  return value?.trim().normalize('NFC').toLowerCase();
}

/** What the conditions of incentives look at, as one text, so that each combination is judged once. */
function terms(sale: StagedSale): string | undefined {
  const { productIds, priceIds, interval, isSubscription } = sale;
  if (!productIds && !priceIds && interval === undefined && isSubscription === undefined) return '';
  return copyText(JSON.stringify([productIds, priceIds, interval, isSubscription]));
}

function flag(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? 't' : 'f';
}

function list(values: string[] | undefined): string | undefined {
  if (!values) return undefined;
  return copyText(`{${values.map((value) => `"${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`);
}
