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

/**
 * The referral of each staged row `s` that names a customer, and for which `which` holds: by referral id (ours or upstream's), customer id,
 * external user id, click id, in that order; else by e-mail, under the row's own affiliate first. A row without
 * affiliate whose e-mail is known under several affiliates is ambiguous.
 */
export function knownCustomer(
  accountId: number,
  which: RawBuilder<unknown> = sql`true`,
): RawBuilder<unknown> {
  return sql`
    select s.n,
      coalesce(by_id.id, by_mail.id) as referral_id,
      coalesce(by_id.affiliate_id, by_mail.affiliate_id) as affiliate_id,
      by_id.id is null and coalesce(by_mail.affiliates > 1 and s.name_no is null, false) as ambiguous
    from stage s
    left join lateral (
      select r.id, r.affiliate_id
      from (
        select 1 as rank, id, affiliate_id from referral where account_id = ${accountId} and id = s.stated_referral_id
        union all
        select 2, id, affiliate_id from referral where account_id = ${accountId} and ref = s.referral_ref
        union all
        select 3, id, affiliate_id from referral where account_id = ${accountId} and customer_id = s.customer_id
        union all
        select 4, id, affiliate_id from referral where account_id = ${accountId} and external_user_id = s.external_user_id
        union all
        select 5, id, affiliate_id from referral where account_id = ${accountId} and click_id = s.click_id
      ) r
      order by r.rank limit 1
    ) by_id on true
    left join name on name.no = s.name_no
    left join lateral (
      select r.id, r.affiliate_id, count(*) over () as affiliates
      from (
        select distinct on (affiliate_id) id, affiliate_id, created_at from referral
        where account_id = ${accountId} and email_folded = s.email_folded
        order by affiliate_id, created_at, id
      ) r
      order by (r.affiliate_id = name.affiliate_id) desc nulls last, r.created_at, r.id limit 1
    ) by_mail on by_id.id is null and s.email_folded is not null
    where ${which} and coalesce(s.stated_referral_id::text, s.referral_ref, s.customer_id, s.external_user_id, s.click_id, s.email_folded) is not null`;
}
