import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../db/connect.ts';

/** What becomes of a sale's commission, in four words. */
export const conversionStatuses = ['pending', 'approved', 'paid', 'rejected'] as const;

export type ConversionStatus = (typeof conversionStatuses)[number];

/** A sale as it was recorded, in minor units of its own currency, and its commission in those of the programme's. */
export interface ConversionView {
  id: string;
  external_id: string;
  affiliate_id: string;
  /** Whether Stripe's logs brought it; `prefix` is what its source puts before external ids. */
  is_of_stripe: boolean;
  prefix: string;
  amount: bigint;
  /** 0 where it earns nothing. */
  earned: bigint;
  status: ConversionStatus;
  occurred_at: Date;
}

/** A page of the sales in the order in which they were recorded; those that were taken back with their import are none. */
export async function pageOfConversions(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  filter: { affiliateId?: string | undefined; status?: ConversionStatus | undefined },
  { page, limit }: { page: number; limit: number },
): Promise<ConversionView[]> {
  const parts = [sql`c.account_id = ${accountId} and c.taken_back is null`];
  if (filter.affiliateId !== undefined) parts.push(sql`c.affiliate_id = ${filter.affiliateId}::uuid`);
  if (filter.status !== undefined) parts.push(sql`${status} = ${filter.status}`);
  const found = await sql<ConversionView>`/* api.conversions.page */
    select page.*, coalesce(s.kind = 'stripe_events', false) as is_of_stripe, coalesce(s.settings ->> 'id_prefix', '') as prefix
    from (
      select c.id, c.external_id, c.affiliate_id, c.import_id, c.amount, coalesce(o.amount, 0)::bigint as earned,
        ${status} as status, c.occurred_at
      from conversion c left join commission o on o.account_id = ${accountId} and o.id = c.id
      where ${sql.join(parts, sql` and `)}
      order by c.id limit ${limit} offset ${(page - 1) * limit}
    ) page
    left join import i on i.account_id = ${accountId} and i.id = page.import_id
    left join source s on s.account_id = ${accountId} and s.id = i.source_id
    order by page.id`.execute(db);
  return found.rows;
}

/** A sale that earns nothing is one that is rejected; one that is disputed or still open has yet to be approved. */
const status: RawBuilder<unknown> = sql`case o.status
  when 'pending' then 'pending' when 'pending_manual_approval' then 'pending'
  when 'ready_for_payment' then 'approved' when 'paid' then 'paid' else 'rejected' end`;
