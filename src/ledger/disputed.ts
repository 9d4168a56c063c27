import { type RawBuilder, sql } from 'kysely';

/**
 * An SQL array: the sales with an open dispute. Nothing of them is released, approved or claimed; an array, because a
 * join would make the planner guess at how many commissions it keeps. What is in a payout has been decided before.
 */
export function disputed(accountId: number): RawBuilder<unknown> {
  return sql`array(
    select d.conversion_id from dispute d
    left join commission o on o.account_id = ${accountId} and o.id = d.conversion_id
    where d.account_id = ${accountId} and d.status = 'open' and o.payout_id is null)`;
}
