import { type RawBuilder, sql } from 'kysely';

/**
 * An SQL array: the sales with an open dispute. Nothing of them is released, approved or claimed; an array, because a
 * join would make the planner guess at how many commissions it keeps. What is in a payout has been decided before.
 */
export function disputed(accountId: number): RawBuilder<unknown> {
  return sql`array(
    select d.conversion_id from dispute d
    left join lateral (
      -- The limit keeps the planner to one look-up a dispute, instead of reading every commission.
      select payout_id from commission where account_id = ${accountId} and id = d.conversion_id limit 1
    ) o on true
    where d.account_id = ${accountId} and d.status = 'open' and o.payout_id is null)`;
}
