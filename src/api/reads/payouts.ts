import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import type { PayoutMethod, PayoutStatus } from '../../db/tables.ts';
import type { NumberedPage } from './commissions.ts';
import type { Moments } from './moments.ts';

/** A payout without where it goes to; `amount` in minor units. */
export interface PayoutView {
  id: string;
  affiliate_id: string;
  affiliate_name: string;
  affiliate_email: string | null;
  program_id: string;
  reference: string;
  amount: bigint;
  currency: string;
  method: PayoutMethod;
  status: PayoutStatus;
  provider_reference: string | null;
  created_at: Date;
  status_at: Date;
}

export interface PayoutFilter extends Moments {
  affiliateId?: string | undefined;
  statuses?: PayoutStatus[] | undefined;
}

/** A page of payouts by when their batch was prepared, and how many there are. */
export async function pageOfPayouts(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  filter: PayoutFilter,
  { page, limit, order }: NumberedPage,
): Promise<{ rows: PayoutView[]; total: number }> {
  const chosen = sql`
    from payout p join payout_batch b on b.account_id = ${accountId} and b.id = p.batch_id
    join affiliate a on a.account_id = ${accountId} and a.id = p.affiliate_id
    where ${sql.join(conditionsOf(accountId, filter), sql` and `)}`;
  const direction = sql.raw(order);
  const [rows, counted] = await Promise.all([
    sql<PayoutView>`/* api.payouts.page */
      select p.id, p.affiliate_id, a.name as affiliate_name, a.email as affiliate_email, p.program_id, p.reference, p.amount,
        p.currency, p.method, p.status, p.provider_reference, b.prepared_at as created_at, p.status_at
      ${chosen} order by b.prepared_at ${direction}, p.id ${direction} limit ${limit} offset ${(page - 1) * limit}`.execute(
      db,
    ),
    sql<{ total: number }>`/* api.payouts.count */ select count(*)::integer as total ${chosen}`.execute(db),
  ]);
  return { rows: rows.rows, total: counted.rows[0]!.total };
}

function conditionsOf(accountId: number, filter: PayoutFilter): RawBuilder<unknown>[] {
  const { affiliateId, statuses, from, to, before } = filter;
  const parts = [sql`p.account_id = ${accountId}`];
  if (affiliateId !== undefined) parts.push(sql`p.affiliate_id = ${affiliateId}::uuid`);
  if (statuses) parts.push(sql`p.status = any(${statuses})`);
  if (from) parts.push(sql`b.prepared_at >= ${from}`);
  if (to) parts.push(sql`b.prepared_at <= ${to}`);
  if (before) parts.push(sql`b.prepared_at < ${before}`);
  return parts;
}
