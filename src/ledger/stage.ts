import type { Session } from '../db/connect.ts';
import type { SalesStatus } from '../db/tables.ts';

/**
 * A sale on its way into the ledger, the same whichever door it came through. Texts are trimmed; `affiliate` and
 * `email` are looked up folded; times are ISO 8601 with an offset; amounts are minor units of `currency`.
 * A row that was found faulty carries `fault` and goes to the outcomes, so that every row read is accounted for; so does
 * the customer where it is still to be found out whether the row concerns anybody.
 */
export interface StagedSale {
  /** Number of the record in its file, from 1: order, and identity within the import. */
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
  /**
   * Of a CSV row that is a refund: the external id of its sale. It is for the refunds' own stage, not for this one; its
   * amount is then its size, or the total refunded so far where `isTotal`.
   */
  refundOf?: string | undefined;
  isTotal?: boolean | undefined;
  /** What was refunded so far of the sale itself, in minor units; for the refunds' own stage as well, unless it is zero. */
  refundedTotal?: bigint | undefined;
  /** Of a line of an event log. */
  eventType?: 'conversion' | 'lead' | 'trial' | 'milestone' | 'cancellation' | undefined;
  eventName?: string | undefined;
}

/**
 * Creates the staging tables anew, for one import; they vanish with the transaction, however it ends, unless they are to
 * be `lasting`: then with the session, and every transaction begins with nothing in them but names and terms. Names of
 * affiliates and terms (what the conditions of incentives look at) stand in tables of their own, once each.
 */
export async function createStage(session: Session, { lasting = false } = {}): Promise<void> {
  const ending = lasting ? 'on commit delete rows' : 'on commit drop';
  const kept = lasting ? '' : ending;
  await session.client.query(`
    set local work_mem = '64MB';
    drop table if exists pg_temp.stage, pg_temp.name, pg_temp.terms, pg_temp.customer, pg_temp.verdict,
      pg_temp.outcome, pg_temp.tally;
    create temp table stage (id uuid not null, n integer not null, line integer not null, external_id text, name_no integer,
      terms_no integer not null, amount bigint, currency text, occurred_at timestamptz, occurred_at_given boolean,
      sales_status text, stated_referral_id uuid, referral_ref text, customer_id text, external_user_id text,
      click_id text, email text, email_folded text, hold_days integer, expense bigint, note text, metadata jsonb,
      fx_rate numeric, fx_minor_rate numeric, fx_day date, fx_source text, unrefunded boolean, event_type text,
      event_name text) ${ending};
    create temp table name (no integer not null, folded text not null, exact text not null, affiliate_id uuid,
      is_known boolean not null default false) ${kept};
    create temp table terms (no integer not null, product_ids text[], price_ids text[], interval text,
      is_subscription boolean, products bytea) ${kept};
    create temp table customer (n integer not null, referral_id uuid, affiliate_id uuid, ambiguous boolean not null,
      teaches boolean not null) ${ending};
    create temp table verdict (n integer not null, verdict text not null, affiliate_id uuid, referral_id uuid,
      other_affiliate boolean, fingerprint bytea) ${ending};
    create temp table outcome (n integer not null, line integer not null, verdict text not null, code text, field text,
      found text, customer_id text, email_folded text) ${ending};
    create temp table tally (kind text not null, affiliate_id uuid, currency text not null, amount numeric not null,
      lines bigint not null) ${ending}`);
}

/**
 * The staging tables for a few rows: those that the session has from an earlier transaction, emptied, since making seven
 * tables takes longer than recording a sale; else made anew, to last.
 */
export async function reuseStage(session: Session): Promise<void> {
  const { rows } = await session.client.query<{ lasts: boolean }>(
    "/* ledger.stage.reuse */ select to_regclass('pg_temp.stage') is not null as lasts",
  );
  if (rows[0]!.lasts) await session.client.query('delete from name; delete from terms');
  else await createStage(session, { lasting: true });
}

/** The form in which names of affiliates and e-mail addresses are compared: trimmed, NFC, without regard to case. */
export function fold(value: string | undefined): string | undefined {
  return value?.trim().normalize('NFC').toLowerCase();
}
