import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { firstIdOf, newIdPrefix } from '../../ids.ts';
import type { Mover } from '../journal.ts';
import { findCustomers, type Strangers } from './customers.ts';
import { learnIdentifiers } from './learn.ts';

/**
 * Finds the referral of every staged row that names a customer, into the table `customer`, and creates that of every row
 * that names an affiliate and a customer nobody knows yet, as a lead since that row; recording its sale then moves it up.
 * A double of an earlier row creates none. Rows known by an identifier go first, rows known by e-mail alone second, so
 * that both kinds of the same customer meet in one referral; the earliest of several rows with one identifier in common
 * has it, of those at one moment the one with the first external id, wherever it stands in the file. Referrals that are
 * known learn what they lack before others are created (`learnIdentifiers`).
 */
export async function introduce(session: Session, mover: Mover, programId: string): Promise<void> {
  let strangers = await findAndLearn(session, mover.accountId);
  for (const byMail of [false, true]) {
    if ((byMail ? strangers.byMail : strangers.byIdentifier) === 0) continue;
    await createReferrals(session, mover, programId, byMail);
    // Also of those that somebody else has created in the meantime.
    strangers = await findAndLearn(session, mover.accountId);
  }
}

async function findAndLearn(session: Session, accountId: number): Promise<Strangers> {
  const strangers = await findCustomers(session, accountId);
  if (strangers.teaching === 0 || (await learnIdentifiers(session, accountId)) === 0) return strangers;
  return findCustomers(session, accountId);
}

async function createReferrals(
  session: Session,
  mover: Mover,
  programId: string,
  byMail: boolean,
): Promise<void> {
  const identity = byMail
    ? sql`s.email_folded`
    : sql`s.referral_ref, s.customer_id, s.external_user_id, s.click_id`;
  await sql`/* ledger.record.introduce */
    with doubled as materialized (
      select s.external_id, min(s.n) as first_n
      from stage s
      join name on name.no = s.name_no
      where name.affiliate_id is not null and s.external_id is not null
      group by s.external_id having count(*) > 1
    ),
    stranger as (
      select distinct on (${identity}) s.*, name.affiliate_id as named_id
      from stage s
      join customer on customer.n = s.n and customer.referral_id is null
      join name on name.no = s.name_no
      left join doubled on doubled.external_id = s.external_id
      left join lateral (
        -- The limit keeps the planner to one look-up a row.
        select true as is_recorded from conversion c
        where c.account_id = ${mover.accountId} and c.external_id = s.external_id limit 1
      ) conversion on true
      where name.affiliate_id is not null and (doubled.first_n = s.n or doubled.first_n is null)
        and (coalesce(s.referral_ref, s.customer_id, s.external_user_id, s.click_id) is null) = ${byMail}
        and conversion.is_recorded is null
      order by ${identity}, s.occurred_at, s.external_id collate "C", s.n
    )
    insert into referral (account_id, id, program_id, affiliate_id, ref, customer_id, external_user_id, click_id,
      email, email_folded, status, created_at)
    select ${mover.accountId}::integer,
      (${newIdPrefix(mover.now)} || lpad(to_hex(row_number() over (order by occurred_at, external_id collate "C", n)), 10, '0'))::uuid,
      ${programId}::uuid, named_id, referral_ref, customer_id, external_user_id, click_id, email, email_folded, 'lead', occurred_at
    from stranger order by occurred_at, external_id collate "C", n
    on conflict do nothing`.execute(session.sql);
}

/**
 * Moves up the referrals of the sales that a run has recorded for `importId`, once each, by what they bought: `made` is a
 * query of it such as `bought` gives, where that was added up before. Else the sales are found by their ids, which begin
 * with the run's moment.
 */
export async function advance(
  session: Session,
  mover: Mover,
  importId: string,
  made?: RawBuilder<unknown>,
): Promise<void> {
  const sold = sql`(
    select referral_id, occurred_at, is_subscription, sales_status from conversion
    where account_id = ${mover.accountId} and id >= ${firstIdOf(mover.now)}::uuid and import_id = ${importId}::uuid
      and ${movesReferral}) sale`;
  await sql`/* ledger.record.advance */ ${moveUp(made ?? bought(sold), mover)}`.execute(session.sql);
}

/** Whether a sale is one by which its referral moves up. */
export const movesReferral = sql`referral_id is not null and sales_status in ('open', 'complete', 'trialing')`;

/** The update that moves up the referrals of what an earlier CTE `sold`, with the columns that `bought` looks at. */
export function customersOf(sold: RawBuilder<unknown>, mover: Mover): RawBuilder<unknown> {
  return moveUp(bought(sold), mover);
}

/**
 * A query: what each referral of the sales in `sold` has become by them, and when first a customer. A sale makes a
 * customer, a subscription that is complete an active one; one that is on trial does not yet, and a failed one says
 * nothing. It looks at columns referral_id, occurred_at, is_subscription and sales_status.
 */
export function bought(sold: RawBuilder<unknown>): RawBuilder<unknown> {
  const isSold = sql`sales_status in ('open', 'complete')`;
  return sql`
    select referral_id, min(occurred_at) filter (where ${isSold}) as first_at,
      case when bool_or(is_subscription and sales_status = 'complete') then 'active'
        when bool_or(${isSold}) then 'customer' when bool_or(sales_status = 'trialing') then 'trialing' else 'lead' end as status
    from ${sold} group by referral_id`;
}

/** The update of what referrals have become; a status that was set by hand to canceled or rejected is left. */
function moveUp(made: RawBuilder<unknown>, mover: Mover): RawBuilder<unknown> {
  const rank = (status: string) =>
    sql`array_position(array['lead', 'trialing', 'customer', 'active'], ${sql.raw(status)})`;
  return sql`
    update referral r
    set status = case when ${rank('made.status')} > ${rank('r.status')} then made.status else r.status end,
      converted_at = least(r.converted_at, made.first_at)
    from (${made}) made
    where r.account_id = ${mover.accountId} and r.id = made.referral_id
      and (${rank('made.status')} > ${rank('r.status')} or made.first_at < r.converted_at
        or r.converted_at is null and made.first_at is not null)`;
}
