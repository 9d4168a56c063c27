import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../journal.ts';
import { attributed, hasSameStatus, isUnrefunded } from './attributed.ts';
import type { Batch, Judged } from './batch.ts';

/**
 * Gives every staged row its verdict, and returns how many have which: `duplicate` (same id, same facts, nothing
 * newer in its status); `new`, `known` (its id is there, but something differs: `revisit` looks closer) and `again`
 * (its id stands earlier in this batch), which go to the verdict table; `rejected` and `parked`, which go to the
 * outcome table with the fault's code, and `ignored`, which go there so that a refund beside them is left out too. That
 * nothing of a sale is refunded, although something is, goes to the stage of refunds.
 */
export async function judge(session: Session, mover: Mover, batch: Batch): Promise<Judged[]> {
  const unattributed = batch.log ? 'parked' : batch.ignoresUnattributed ? 'ignored' : 'rejected';
  const inLog = batch.log ? knownToLog(mover.accountId, batch.log) : sql`false`;
  const isUnknownCustomer = sql`j.code = 'customer-unknown'`;
  const judged = await sql<Judged>`/* ledger.record.judge */
    with attributed as (${attributed(batch)}),
    looked_up as materialized (
      select a.*, c.id as conversion_id, ${inLog} as in_log, refund.id is not null as is_refund,
        c.fingerprint = a.fingerprint
          and ${hasSameStatus} as same, c.id is not null and ${isUnrefunded} as is_unrefunded
      from attributed a
      left join lateral (
        -- The limit keeps the planner to one look-up a row: while an import runs, the server's statistics do not know
        -- how many rows it has added, and reading them all for every batch would grow with the square of the file.
        select id, fingerprint, sales_status from conversion
        where account_id = ${mover.accountId} and external_id = a.external_id and a.code is null limit 1
      ) c on true
      left join lateral (
        select id from refund where account_id = ${mover.accountId} and external_id = a.external_id and c.id is null limit 1
      ) refund on true
    ),
    first as materialized (
      select external_id, code, min(n) as n from looked_up
      where conversion_id is null and not is_refund and (code is null or code = 'customer-unknown')
      group by external_id, code having count(*) > 1
    ),
    judged as materialized (
      select j.n, j.line, j.affiliate_id, j.referral_id, j.other_affiliate, j.fingerprint,
        case when j.is_refund and j.code is null then 'sale-id-of-refund' else j.code end as code,
        case
          -- A row that would be parked, but is parked already or stands earlier in this batch, and an id that an event has.
          when j.in_log and (j.code is null or ${isUnknownCustomer}) then 'duplicate'
          when ${isUnknownCustomer} and ${batch.log !== undefined} and first.n < j.n then 'duplicate'
          when ${isUnknownCustomer} then ${unattributed}
          when j.code is not null or j.is_refund then 'rejected'
          when j.same then 'duplicate'
          when j.conversion_id is not null then 'known'
          when first.n < j.n then 'again'
          else 'new'
        end as verdict
      from looked_up j
      left join first on first.external_id = j.external_id and first.code is not distinct from j.code
    ),
    refused as (
      insert into outcome (n, line, verdict, code, field, found)
      select s.n, s.line, j.verdict, j.code,
        case
          when j.code = 'sale-id-of-refund' then ${batch.log ? 'external_event_id' : 'external_id'}
          when j.code like 'affiliate%' then ${batch.log ? 'metadata.affiliate_id' : 'affiliate'}
          when j.code = 'customer-ambiguous' then 'customer_email'
          else 'customer_id'
        end,
        case when j.code like 'affiliate%' then name.exact when j.code = 'sale-id-of-refund' then s.external_id end
      from judged j join stage s on s.n = j.n left join name on name.no = s.name_no
      where j.verdict in ('rejected', 'parked', 'ignored')
    ),
    ${batch.hasTotals ? fallen(mover.now) : sql``}
    kept as (
      insert into verdict (n, verdict, affiliate_id, referral_id, other_affiliate, fingerprint)
      select n, verdict, affiliate_id, referral_id, other_affiliate, fingerprint from judged where verdict in ('new', 'known', 'again')
    )
    select verdict, count(*)::integer as rows, (count(*) filter (where other_affiliate))::integer as others,
      coalesce(min(line) filter (where other_affiliate), 0) as "firstLine"
    from judged group by verdict`.execute(session.sql);
  return judged.rows;
}

/** A CTE that stages the totals of rows by which nothing is refunded any more; the time of receipt stands in for theirs. */
function fallen(now: Date): RawBuilder<unknown> {
  return sql`fallen as (
      insert into refund_stage (n, line, external_id, sale_external_id, amount, is_total, currency, occurred_at,
        occurred_at_given, beside_sale)
      select s.n, s.line, s.external_id || '#refunded:0', s.external_id, 0, true, s.currency, ${now}::timestamptz, false, true
      from looked_up j join stage s on s.n = j.n where j.is_unrefunded
    ),`;
}

/** Whether the id of a row `a` of an event log was met before as an event of another type, or is parked. */
function knownToLog(accountId: number, log: 'new' | 'parked'): RawBuilder<unknown> {
  return sql`(a.external_id is not null and (
    exists (select from event e where e.account_id = ${accountId} and e.external_event_id = a.external_id)
    or (${log === 'new'} and a.code = 'customer-unknown' and exists (
      select from parked_event p where p.account_id = ${accountId} and p.external_event_id = a.external_id))))`;
}
