import { type RawBuilder, sql } from 'kysely';
import type { Batch } from './batch.ts';
import { fingerprint } from './fingerprint.ts';

/**
 * A query: each staged row with the affiliate and referral it is credited to, or the `code` of the fault because of which
 * it is not; whether its customer belongs to another affiliate than it names; and its fingerprint.
 */
export function attributed({ hasCustomers }: Batch): RawBuilder<unknown> {
  // A join that may be done the other way round gives the rows back in any order; they are looked up in their own.
  const customer = hasCustomers
    ? sql`left join customer on customer.n = s.n`
    : sql`cross join (select null::uuid as referral_id, null::uuid as affiliate_id, false as ambiguous) customer`;
  return sql`
  select s.n, s.line, s.external_id, s.sales_status, s.unrefunded,
    coalesce(name.affiliate_id, customer.affiliate_id) as affiliate_id,
    case when s.name_no is null or name.affiliate_id = customer.affiliate_id then customer.referral_id end as referral_id,
    name.affiliate_id <> customer.affiliate_id as other_affiliate,
    case
      when name.affiliate_id is null and s.name_no is not null
        then case when name.is_known then 'affiliate-ambiguous' else 'affiliate-unknown' end
      when s.name_no is null and customer.ambiguous then 'customer-ambiguous'
      when s.name_no is null and customer.affiliate_id is null then 'customer-unknown'
    end as code,
    ${fingerprint(sql`coalesce(name.affiliate_id, customer.affiliate_id)`)} as fingerprint
  from stage s
  join terms t on t.no = s.terms_no
  left join name on name.no = s.name_no
  ${customer}`;
}

/**
 * Whether row `a` says nothing newer of its status than conversion `c`: a sale that has ended is not opened again, and a
 * row may say nothing of it.
 */
export const hasSameStatus = sql`(c.sales_status = a.sales_status or a.sales_status is null
  or (c.sales_status in ('complete', 'failed', 'refunded', 'partial_refunded') and a.sales_status in ('open', 'trialing')))`;

/** Whether row `a` says that nothing of conversion `c` is refunded, although something is. */
export const isUnrefunded = sql`(a.unrefunded and c.sales_status in ('refunded', 'partial_refunded'))`;
