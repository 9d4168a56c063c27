import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import type { CommissionStatus, SalesStatus } from '../../db/tables.ts';
import type { Moments } from './moments.ts';

type Sql = Pick<Db, 'sql'>;

/**
 * A sale and what it earns, as it stands now: amounts are minor units and what remains after refunds and corrections. What
 * has `earned` in its name is null where the sale earns nothing.
 */
export interface CommissionView {
  id: string;
  external_id: string;
  program_id: string;
  affiliate_id: string;
  referral_id: string | null;
  sale_amount: bigint;
  sale_currency: string;
  sales_status: SalesStatus;
  occurred_at: Date;
  updated_at: Date;
  payment_intent_id: string | null;
  invoice_id: string | null;
  earned_amount: bigint | null;
  earned_currency: string | null;
  earned_status: CommissionStatus | null;
  hold_days: number | null;
  incentive_id: string | null;
}

/** The statuses of the present interface, and three more that its older pages do not name. */
export const commissionStatuses = [
  'pending',
  'pending_manual_approval',
  'ready_for_payment',
  'processing_payout',
  'paid',
  'declined',
  'refunded',
  'dispute',
] as const;

export interface CommissionFilter extends Moments {
  /** UUIDs; `none` chooses nothing. */
  affiliateId?: string | undefined;
  referralId?: string | undefined;
  status?: (typeof commissionStatuses)[number] | undefined;
  salesStatus?: SalesStatus | undefined;
}

/** A part of a list by its number from 1, and in which order. */
export interface NumberedPage {
  page: number;
  limit: number;
  order: 'asc' | 'desc';
}

/** The sales of these ids, in any order; those of other accounts and unknown ones are left out. */
export async function commissionsOf(
  { sql: db }: Sql,
  accountId: number,
  ids: string[],
): Promise<CommissionView[]> {
  const rows = await sql<CommissionView>`/* api.commissions.of */
    ${view(accountId, sql`select c.* from conversion c where c.account_id = ${accountId} and c.id = any(${ids}::uuid[])`)}`.execute(
    db,
  );
  return rows.rows;
}

/**
 * A page of the sales that earn something, by when they occurred, and how many there are; those that were taken back with
 * their import are none. Counting takes as long as the account is large.
 */
export async function pageOfCommissions(
  { sql: db }: Sql,
  accountId: number,
  filter: CommissionFilter,
  { page, limit, order }: NumberedPage,
): Promise<{ rows: CommissionView[]; total: number }> {
  const chosen = sql`
    from conversion c ${filter.status === undefined ? sql`` : sql`join commission o on o.account_id = ${accountId} and o.id = c.id`}
    where ${sql.join(conditionsOf(accountId, filter), sql` and `)}`;
  const direction = sql.raw(order);
  const [rows, counted] = await Promise.all([
    sql<CommissionView>`/* api.commissions.page */
      ${view(
        accountId,
        sql`select c.* ${chosen} order by c.occurred_at ${direction}, c.id ${direction} limit ${limit} offset ${(page - 1) * limit}`,
      )} order by c.occurred_at ${direction}, c.id ${direction}`.execute(db),
    sql<{ total: number }>`/* api.commissions.count */ select count(*)::integer as total ${chosen}`.execute(
      db,
    ),
  ]);
  return { rows: rows.rows, total: counted.rows[0]!.total };
}

function view(accountId: number, sales: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    with c as materialized (${sales})
    select c.id, c.external_id, c.program_id, c.affiliate_id, c.referral_id, ${remaining(accountId)} as sale_amount,
      c.currency as sale_currency, c.sales_status, c.occurred_at, coalesce(o.status_at, c.occurred_at) as updated_at,
      c.metadata ->> 'payment_intent_id' as payment_intent_id, c.metadata ->> 'invoice_id' as invoice_id,
      ${earned(accountId)} as earned_amount, o.currency as earned_currency, o.status as earned_status, o.hold_days, o.incentive_id
    from c left join commission o on o.account_id = ${accountId} and o.id = c.id`;
}

/** What refunds have left of sale `c`. */
export function remaining(accountId: number): RawBuilder<unknown> {
  return sql`(c.amount - coalesce((select sum(r.amount) from refund r
    where r.account_id = ${accountId} and r.conversion_id = c.id and r.taken_back is null), 0))::bigint`;
}

/** What commission `o` comes to with its reversals and corrections. */
export function earned(accountId: number): RawBuilder<unknown> {
  return sql`(o.amount + coalesce((select sum(m.amount) from commission m
    where m.account_id = ${accountId} and m.reverses = o.id), 0))::bigint`;
}

function conditionsOf(accountId: number, filter: CommissionFilter): RawBuilder<unknown>[] {
  const { affiliateId, referralId, status, salesStatus, from, to, before } = filter;
  const parts = [
    sql`c.account_id = ${accountId} and c.no_commission_reason is null and c.taken_back is null`,
  ];
  if (affiliateId !== undefined) parts.push(sql`c.affiliate_id = ${affiliateId}::uuid`);
  if (referralId !== undefined) parts.push(sql`c.referral_id = ${referralId}::uuid`);
  if (salesStatus !== undefined) parts.push(sql`c.sales_status = ${salesStatus}`);
  if (from) parts.push(sql`c.occurred_at >= ${from}`);
  if (to) parts.push(sql`c.occurred_at <= ${to}`);
  if (before) parts.push(sql`c.occurred_at < ${before}`);
  if (status === 'processing_payout')
    parts.push(sql`o.status = 'ready_for_payment' and o.payout_id is not null`);
  else if (status === 'refunded') parts.push(sql`o.status = 'declined' and c.sales_status = 'refunded'`);
  else if (status === 'dispute')
    parts.push(sql`exists (select from dispute d
      where d.account_id = ${accountId} and d.conversion_id = c.id and d.status = 'open')`);
  else if (status !== undefined) parts.push(sql`o.status = ${status}`);
  return parts;
}
