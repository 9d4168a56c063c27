import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { CommissionStatus, LedgerAccount } from '../../db/tables.ts';
import { newIdPrefix } from '../../ids.ts';
import { declineSettled, leaveDrafts, restoreDeclined } from '../family.ts';
import { type Mover, postings } from '../journal.ts';
import { correctedOf, share } from './share.ts';

/** Sums of what was booked, in minor units by currency; negative, unless more came back than was taken. */
export interface Refunded {
  kind: 'sale' | 'commission';
  currency: string;
  amount: bigint;
}

const accounts: [CommissionStatus, LedgerAccount][] = [
  ['pending', 'pending'],
  ['pending_manual_approval', 'awaiting'],
  ['ready_for_payment', 'ready'],
  ['declined', 'declined'],
];

/**
 * Writes the refunds that were judged to be recorded, moves their sales along, and writes the reversals. A commission
 * in a draft payout leaves it first. In an approved, exported or paid one it stays: the reversal is then ready at once,
 * due when the refund occurred. Else the reversal takes status and hold of its commission; refunded in full, all of them
 * are declined, and pending anew when something comes back. What was reversed before is the part that the refunds before
 * took, as the audit proves; a reversal that rounds to zero makes no line. What comes back is a reversal with the other sign.
 */
export async function bookRefunds(session: Session, mover: Mover): Promise<Refunded[]> {
  const { accountId } = mover;
  await leaveDrafts(session, mover, changing(accountId), 'refunds left nothing to pay');
  await restoreDeclined(session, mover, comingBack(accountId));
  const sums = await book(session, mover);
  await sql`/* ledger.reverse.whole */
    delete from family f where not exists (
      select from refund_judged j where j.conversion_id = f.id and j.verdict = 'recorded')`.execute(
    session.sql,
  );
  await declineSettled(session, mover);
  return sums;
}

/** The sales of which the commission changes, or of which nothing is left. */
function changing(accountId: number) {
  const sale = sql`c.amount`;
  const corrected = sql`corrected.amount`;
  return sql`
    select o.id from refund_judged j
    join conversion c on c.account_id = ${accountId} and c.id = j.conversion_id
    join commission o on o.account_id = ${accountId} and o.id = c.id
    cross join lateral (select ${correctedOf(accountId)} as amount) corrected
    where j.verdict = 'recorded' and j.before <> j.after
      and (j.after = c.amount or ${share(sql`j.after`, sale, corrected)} <> ${share(sql`j.before`, sale, corrected)})`;
}

/** The sales that were refunded in full before, and are not any more. */
function comingBack(accountId: number) {
  return sql`
    select c.id from (${moved}) moved
    join conversion c on c.account_id = ${accountId} and c.id = moved.conversion_id
    where moved.before = c.amount and moved.after < c.amount and c.sales_status = 'refunded'`;
}

/** A query: what was taken of each sale before all that is recorded now, and after it. */
const moved = sql`
  select conversion_id, (array_agg(before order by place))[1] as before, (array_agg(after order by place desc))[1] as after
  from refund_judged where verdict = 'recorded' group by conversion_id`;

async function book(session: Session, mover: Mover): Promise<Refunded[]> {
  const { accountId, runId, now } = mover;
  const sale = sql`recorded.sale_amount`;
  const corrected = sql`corrected.amount`;
  const posted = accounts.map(
    ([status, to], index) =>
      sql`${sql.raw(`posted_${index}`)} as (${postings(sql`(select * from reversals where status = ${status}) reversals`, mover, { movement: 'record', from: 'earned', to })})`,
  );
  const sums = await sql<Refunded>`/* ledger.reverse */
    with recorded as materialized (
      select r.*, j.before, j.after, j.counted, j.place,
        (${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by j.conversion_id, j.place)), 10, '0'))::uuid as id
      from refund_judged j join refund_row r on r.n = j.n
      where j.verdict = 'recorded'
    ),
    refunds as (
      insert into refund (account_id, id, conversion_id, external_id, amount, stated_amount, counted, place, is_total, currency,
        occurred_at, occurred_at_given, dispute_id, gives_back, made_at, accepted, import_id, line)
      select ${accountId}::integer, id, conversion_id, external_id, after - before, amount, counted, place, is_total, currency,
        occurred_at, occurred_at_given, dispute_id, gives_back, made_at, accepted, import_id, line
      from recorded
    ),
    sales as (
      update conversion c set sales_status = case moved.after when c.amount then 'refunded' when 0 then 'complete'
        else 'partial_refunded' end
      from (${moved}) moved
      where c.account_id = ${accountId} and c.id = moved.conversion_id and moved.before <> moved.after
    ),
    line as materialized (
      select recorded.id, recorded.occurred_at, o.id as reverses, o.program_id, o.affiliate_id, o.currency, o.incentive_id,
        o.rate_ppm, o.hold_days, o.overridden, o.rounding, o.fx_rate, o.fx_day, o.fx_source, o.reason, o.status, o.hold_until,
        o.payout_id is not null as stands,
        ${share(sql`recorded.before`, sale, corrected)} - ${share(sql`recorded.after`, sale, corrected)} as amount
      from recorded
      join commission o on o.account_id = ${accountId} and o.id = recorded.conversion_id
      cross join lateral (select ${correctedOf(accountId)} as amount) corrected
    ),
    reversals as (
      insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id,
        incentive_id, rate_ppm, hold_days, overridden, currency, status, rounding, reason, fx_rate, fx_day, fx_source, reverses)
      select ${accountId}::integer, id, program_id, affiliate_id, amount, case when stands then occurred_at else hold_until end,
        ${now}::timestamptz, ${runId}::uuid, incentive_id, rate_ppm, hold_days, overridden, currency,
        case when stands then 'ready_for_payment' else status end, rounding, reason, fx_rate, fx_day, fx_source, reverses
      from line where amount <> 0
      returning affiliate_id, currency, amount, status
    ),
    ${sql.join(posted, sql`, `)}
    select 'sale' as kind, currency, (-sum(after - before))::bigint as amount from recorded group by currency
    union all
    select 'commission', currency, sum(amount)::bigint from reversals group by currency
    order by 1, 2`.execute(session.sql);
  return sums.rows;
}
