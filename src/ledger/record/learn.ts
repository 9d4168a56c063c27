import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';

/**
 * Gives referrals the identifiers that staged rows tell of them: a row that `findCustomers` found by its click or its
 * e-mail address, say, has a customer id that nobody has. From then on the customer is known by it, so that a renewal
 * which says nothing else is theirs. Only rows that name the referral's own affiliate tell, or that move no money. The
 * earliest row counts, of those at one moment the one with the first external id, wherever it stands in the file; what a
 * referral has is never replaced. Returns how many referrals learned something.
 */
export async function learnIdentifiers(session: Session, accountId: number): Promise<number> {
  const learned = await sql`/* ledger.record.learn */
    with told as (
      select c.referral_id, kind, value, s.occurred_at, s.external_id, s.n
      from stage s
      join customer c on c.n = s.n and c.teaches
      join referral r on r.account_id = ${accountId} and r.id = c.referral_id
      cross join lateral (
        -- Down to the first one that the referral is known by: of those before it, nobody has them.
        select kind, value, own, bool_or(value = own) over (order by kind) as is_known
        from (values (1, s.referral_ref, r.ref), (2, s.customer_id, r.customer_id),
          (3, s.external_user_id, r.external_user_id), (4, s.click_id, r.click_id)) as pairs(kind, value, own)
      ) pair
      where value is not null and own is null and is_known is not true
    ),
    one_owner as (
      select distinct on (kind, value) * from told
      order by kind, value, occurred_at, external_id collate "C", n
    ),
    one_each as (
      select distinct on (referral_id, kind) * from one_owner
      order by referral_id, kind, occurred_at, external_id collate "C", n
    ),
    learned as (
      select referral_id, max(value) filter (where kind = 1) as ref, max(value) filter (where kind = 2) as customer_id,
        max(value) filter (where kind = 3) as external_user_id, max(value) filter (where kind = 4) as click_id
      from one_each group by referral_id
    )
    update referral r
    set ref = coalesce(r.ref, l.ref), customer_id = coalesce(r.customer_id, l.customer_id),
      external_user_id = coalesce(r.external_user_id, l.external_user_id), click_id = coalesce(r.click_id, l.click_id)
    from learned l where r.account_id = ${accountId} and r.id = l.referral_id`.execute(session.sql);
  return Number(learned.numAffectedRows ?? 0n);
}
