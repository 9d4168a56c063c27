import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import type { ReferralStatus } from '../../db/tables.ts';
import { earned, remaining } from './commissions.ts';
import type { Moments } from './moments.ts';

type Sql = Pick<Db, 'sql'>;

export interface ReferralView {
  id: string;
  affiliate_id: string;
  program_id: string;
  email: string | null;
  customer_id: string | null;
  /** That of its latest sale which tells one. */
  subscription_id: string | null;
  status: ReferralStatus;
  created_at: Date;
  converted_at: Date | null;
}

export interface ReferralFilter extends Moments {
  affiliateId?: string | undefined;
  status?: ReferralStatus | undefined;
}

/** A part of a list beside one of its rows: behind `after`, or before `before`, UUIDs both; else from its beginning. */
export interface CursorPage {
  limit: number;
  order: 'asc' | 'desc';
  after?: string | undefined;
  before?: string | undefined;
}

/** The referrals of these ids, in any order; unknown ones and those of other accounts are left out. */
export async function referralsOf(
  { sql: db }: Sql,
  accountId: number,
  ids: string[],
): Promise<ReferralView[]> {
  const rows = await sql<ReferralView>`/* api.referrals.of */
    ${view(accountId, sql`select * from referral where account_id = ${accountId} and id = any(${ids}::uuid[])`)}`.execute(
    db,
  );
  return rows.rows;
}

/**
 * A page of referrals by when they were created, and whether more follow in the direction that was asked for. What is
 * written meanwhile moves no row from one page to another. Undefined where there is no referral of the cursor's id.
 */
export async function pageOfReferrals(
  { sql: db }: Sql,
  accountId: number,
  filter: ReferralFilter,
  { limit, order, after, before }: CursorPage,
): Promise<{ rows: ReferralView[]; hasMore: boolean } | undefined> {
  const cursor = before ?? after;
  const parts = conditionsOf(accountId, filter);
  // Backwards from a cursor the nearest rows come first, and are turned round at the end.
  const isDown = (order === 'desc') !== (before !== undefined);
  if (cursor !== undefined) {
    // As text, since a Date would lose the microseconds.
    const found = await db
      .selectFrom('referral')
      .select(sql<string>`created_at::text`.as('created_at'))
      .where('account_id', '=', accountId)
      .where('id', '=', cursor)
      .executeTakeFirst();
    if (!found) return undefined;
    parts.push(
      sql`(r.created_at, r.id) ${isDown ? sql`<` : sql`>`} (${found.created_at}::timestamptz, ${cursor}::uuid)`,
    );
  }
  const direction = isDown ? sql`desc` : sql`asc`;
  const rows = await sql<ReferralView>`/* api.referrals.page */
    ${view(
      accountId,
      sql`select r.* from referral r where ${sql.join(parts, sql` and `)}
        order by r.created_at ${direction}, r.id ${direction} limit ${limit + 1}`,
    )} order by r.created_at ${direction}, r.id ${direction}`.execute(db);
  const some = rows.rows.slice(0, limit);
  if (before !== undefined) some.reverse();
  return { rows: some, hasMore: rows.rows.length > limit };
}

function view(accountId: number, referrals: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    with r as materialized (${referrals})
    select r.id, r.affiliate_id, r.program_id, r.email, r.customer_id, r.status, r.created_at, r.converted_at, (
      select c.metadata ->> 'subscription_id' from conversion c
      where c.account_id = ${accountId} and c.referral_id = r.id and c.metadata ->> 'subscription_id' is not null
      order by c.occurred_at desc limit 1) as subscription_id
    from r`;
}

function conditionsOf(accountId: number, filter: ReferralFilter): RawBuilder<unknown>[] {
  const { affiliateId, status, from, to, before } = filter;
  const parts = [sql`r.account_id = ${accountId}`];
  if (affiliateId !== undefined) parts.push(sql`r.affiliate_id = ${affiliateId}::uuid`);
  if (status !== undefined) parts.push(sql`r.status = ${status}`);
  if (from) parts.push(sql`r.created_at >= ${from}`);
  if (to) parts.push(sql`r.created_at <= ${to}`);
  if (before) parts.push(sql`r.created_at < ${before}`);
  return parts;
}

/** What the sales of a referral come to at one rate of exchange; in minor units, without what was refunded. */
export interface ReferralSum {
  currency: string;
  /** Units of the programme's currency for one of `currency`; null for the programme's own, or where nothing was earned. */
  fx_rate: string | null;
  revenue: bigint;
  /** In minor units of the programme's currency. */
  commission: bigint;
  orders: number;
  last_at: Date;
}

export async function sumsOfReferral(
  { sql: db }: Sql,
  accountId: number,
  id: string,
): Promise<ReferralSum[]> {
  const rows = await sql<ReferralSum>`/* api.referrals.sums */
    select c.currency, o.fx_rate::text as fx_rate, sum(${remaining(accountId)})::bigint as revenue,
      coalesce(sum(${earned(accountId)}), 0)::bigint as commission, count(*)::integer as orders, max(c.occurred_at) as last_at
    from conversion c left join commission o on o.account_id = ${accountId} and o.id = c.id
    where c.account_id = ${accountId} and c.referral_id = ${id}::uuid and c.taken_back is null and c.sales_status <> 'failed'
    group by c.currency, o.fx_rate`.execute(db);
  return rows.rows;
}
