import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { CommissionStatus, LedgerAccount } from '../db/tables.ts';
import { declineSettled, leaveDrafts, restoreDeclined } from './family.ts';
import { type Mover, postings } from './journal.ts';
import { share } from './reverse/share.ts';

/** What makes a correction: the version of a sale that was accepted, or the import that was undone. */
export type Cause = { conflictId: string } | { importId: string };

const accounts: [CommissionStatus, LedgerAccount][] = [
  ['pending', 'pending'],
  ['pending_manual_approval', 'awaiting'],
  ['ready_for_payment', 'ready'],
  ['declined', 'declined'],
];

/**
 * Creates the temporary table `correction_stage` anew: a row for each sale with a commission whose books are to be set
 * right, with the id of its correction and what the sale earns more from now on (`earned`, signed, zero where only its
 * refunds changed). Terms stand there where the sale earns by others since.
 */
export async function createCorrections(session: Session): Promise<void> {
  await session.client.query(`
    drop table if exists pg_temp.correction_stage;
    create temp table correction_stage (id uuid not null, conversion_id uuid primary key, earned bigint not null,
      incentive_id uuid, rate_ppm integer, fixed_amount bigint, overridden boolean, fx_rate numeric, fx_day date, fx_source text)
      on commit drop`);
}

/**
 * The one door for corrections: books the difference between what the commissions of the sales in `correction_stage` and
 * their reversals sum to, and what they should: what the sale earns now, less the part that its refunds take. The sales
 * are those in `family` (locked; see lockFamilies), and say already what is true of them now, as do their refunds. Like
 * a reversal the line takes status and hold of its commission, which leaves a draft payout first; beside one in an
 * approved, exported or paid payout, which stands, it is ready at once and due as that was, so that the next payout has
 * it. Where something is earned again of what was declined,
 * all of it is pending anew; where nothing is left, all of it is declined. `reason` is why a draft payout was canceled.
 */
export async function correct(session: Session, mover: Mover, cause: Cause, reason: string): Promise<void> {
  const { accountId } = mover;
  await findDifferences(session, accountId);
  await sql`/* ledger.correct.write */
    insert into correction (account_id, id, conversion_id, place, earned, conflict_id, import_id, incentive_id, rate_ppm,
      fixed_amount, overridden)
    select ${accountId}::integer, s.id, s.conversion_id, due.place, s.earned, ${'conflictId' in cause ? cause.conflictId : null}::uuid,
      ${'importId' in cause ? cause.importId : null}::uuid, s.incentive_id, s.rate_ppm, s.fixed_amount, s.overridden
    from correction_stage s join correction_due due on due.conversion_id = s.conversion_id
    where s.earned <> 0 or due.amount <> 0 or s.rate_ppm is not null or s.fixed_amount is not null`.execute(
    session.sql,
  );
  const changed = sql`select conversion_id from correction_due where amount <> 0 or earns = 0`;
  await leaveDrafts(session, mover, changed, reason);
  await restoreDeclined(session, mover, sql`select conversion_id from correction_due where remains <> 0`);
  // Before the line is booked: where nothing is left it is declined from the start.
  await declineSettled(session, mover);
  await book(session, mover);
}

/** Each sale with what it earns (`earns`), what should remain of that after refunds, and what is missing for it (`amount`). */
async function findDifferences(session: Session, accountId: number): Promise<void> {
  const taken = share(sql`coalesce(refunded.amount, 0)`, sql`nullif(c.amount, 0)`, sql`corrected.earned`);
  await session.client.query('drop table if exists pg_temp.correction_due; analyze correction_stage');
  await sql`/* ledger.correct.due */
    create temp table correction_due on commit drop as
    with earlier as (
      select conversion_id, sum(earned) as earned, count(*) as corrections from correction
      where account_id = ${sql.lit(accountId)} and conversion_id in (select conversion_id from correction_stage)
      group by conversion_id
    ),
    refunded as (
      select conversion_id, sum(amount) as amount from refund
      where account_id = ${sql.lit(accountId)} and conversion_id in (select conversion_id from correction_stage)
        and taken_back is null
      group by conversion_id
    ),
    reversed as (
      select reverses as conversion_id, sum(amount) as amount from commission
      where account_id = ${sql.lit(accountId)} and reverses in (select conversion_id from correction_stage) group by reverses
    )
    select s.id, s.conversion_id, (coalesce(earlier.corrections, 0) + 1)::integer as place,
      (o.amount + corrected.earned)::bigint as earns,
      (o.amount + corrected.earned - coalesce(${taken}, 0))::bigint as remains,
      (corrected.earned - coalesce(${taken}, 0) - coalesce(reversed.amount, 0))::bigint as amount
    from correction_stage s
    join commission o on o.account_id = ${sql.lit(accountId)} and o.id = s.conversion_id
    join conversion c on c.account_id = ${sql.lit(accountId)} and c.id = s.conversion_id
    left join earlier on earlier.conversion_id = s.conversion_id
    cross join lateral (select s.earned + coalesce(earlier.earned, 0) as earned) corrected
    left join refunded on refunded.conversion_id = s.conversion_id
    left join reversed on reversed.conversion_id = s.conversion_id`.execute(session.sql);
  await session.client.query('analyze correction_due');
}

/** A line that would be zero is none. */
async function book(session: Session, mover: Mover): Promise<void> {
  const { accountId, runId, now } = mover;
  const posted = accounts.map(
    ([status, to], index) =>
      sql`${sql.raw(`posted_${index}`)} as (${postings(sql`(select * from lines where status = ${status}) lines`, mover, { movement: 'record', from: 'earned', to })})`,
  );
  await sql`/* ledger.correct */
    with line as materialized (
      select due.id, due.amount, o.id as reverses, o.program_id, o.affiliate_id, o.currency, o.hold_days, o.rounding, o.status,
        o.reason, o.hold_until, o.payout_id is not null as stands, s.rate_ppm is not null or s.fixed_amount is not null as is_anew,
        s.incentive_id as new_incentive, s.rate_ppm as new_rate, s.overridden as new_overridden, s.fx_rate as new_fx_rate,
        s.fx_day as new_fx_day, s.fx_source as new_fx_source, o.incentive_id, o.rate_ppm, o.overridden, o.fx_rate, o.fx_day,
        o.fx_source
      from correction_due due
      join correction_stage s on s.conversion_id = due.conversion_id
      join commission o on o.account_id = ${accountId} and o.id = due.conversion_id
      where due.amount <> 0
    ),
    lines as (
      insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id,
        incentive_id, rate_ppm, hold_days, overridden, currency, status, rounding, reason, fx_rate, fx_day, fx_source, reverses)
      select ${accountId}::integer, id, program_id, affiliate_id, amount, hold_until,
        ${now}::timestamptz, ${runId}::uuid, case when is_anew then new_incentive else incentive_id end,
        case when is_anew then new_rate else rate_ppm end, hold_days, case when is_anew then new_overridden else overridden end,
        currency, case when stands then 'ready_for_payment' else status end, rounding, reason,
        case when is_anew then new_fx_rate else fx_rate end, case when is_anew then new_fx_day else fx_day end,
        case when is_anew then new_fx_source else fx_source end, reverses
      from line
      returning affiliate_id, currency, amount, status
    ),
    ${sql.join(posted, sql`, `)}
    select count(*) from lines`.execute(session.sql);
}
