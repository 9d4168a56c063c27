import { type RawBuilder, sql } from 'kysely';

/**
 * The affiliates that `names` (a query of folded and exact) mean: folded and exact name to affiliate_id, which is null
 * when several fit. Two that differ in case alone are told apart by the exact spelling. Unknown names are left out.
 */
export function affiliateNamed(accountId: number, names: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    select wanted.folded, wanted.exact,
      case
        when count(distinct k.affiliate_id) = 1 then (array_agg(k.affiliate_id))[1]
        when count(distinct k.affiliate_id) filter (where k.exact = wanted.exact) = 1
          then (array_agg(k.affiliate_id) filter (where k.exact = wanted.exact))[1]
      end as affiliate_id
    from (${names}) wanted
    join affiliate_key k on k.account_id = ${accountId} and k.folded = wanted.folded
    group by wanted.folded, wanted.exact`;
}
