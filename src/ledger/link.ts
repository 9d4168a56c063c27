import type { Session } from '../db/connect.ts';

/** What identifies a customer besides the referral's own id. */
export interface Identifiers {
  ref?: string | undefined;
  customerId?: string | undefined;
  externalUserId?: string | undefined;
  clickId?: string | undefined;
}

/**
 * Gives referrals the identifiers that came together with their ids, so that the customer is known by them from then on.
 * What a referral has is never replaced, and what another one has is left there.
 */
export async function linkIdentifiers(
  session: Session,
  accountId: number,
  rows: { referralId?: string | undefined; learns?: Identifiers | undefined }[],
): Promise<void> {
  const learning = rows.flatMap(({ referralId, learns }) =>
    referralId !== undefined && learns ? [{ referral_id: referralId, ...learns }] : [],
  );
  if (learning.length === 0) return;
  await session.client.query(
    `/* ledger.link */
    with told as (
      select distinct on (referral_id) * from jsonb_to_recordset($2)
        as t(referral_id uuid, ref text, "customerId" text, "externalUserId" text, "clickId" text)
    ),
    free as (
      select t.referral_id,
        case when not exists (select from referral o where o.account_id = $1 and o.ref = t.ref) then t.ref end as ref,
        case when not exists (select from referral o where o.account_id = $1 and o.customer_id = t."customerId")
          then t."customerId" end as customer_id,
        case when not exists (select from referral o where o.account_id = $1 and o.external_user_id = t."externalUserId")
          then t."externalUserId" end as external_user_id,
        case when not exists (select from referral o where o.account_id = $1 and o.click_id = t."clickId")
          then t."clickId" end as click_id
      from told t
    ),
    locked as materialized (
      select r.id from referral r where r.account_id = $1 and r.id in (select referral_id from free) order by r.id for no key update
    )
    update referral r set ref = coalesce(r.ref, free.ref), customer_id = coalesce(r.customer_id, free.customer_id),
      external_user_id = coalesce(r.external_user_id, free.external_user_id), click_id = coalesce(r.click_id, free.click_id)
    from locked join free on free.referral_id = locked.id
    where r.account_id = $1 and r.id = locked.id`,
    [accountId, JSON.stringify(learning)],
  );
}
