import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../journal.ts';
import { knownCustomer, namedAffiliate } from './attribution.ts';
import type { Batch } from './batch.ts';
import { fingerprint } from './fingerprint.ts';

/**
 * Gives every staged row its verdict: `new`; `duplicate` (same id, same facts, nothing newer in its status);
 * `known` (its id is there, but something differs: `revisit` looks closer); `again` (its id stands earlier in
 * this batch); `rejected` or `parked` with the fault's code in the outcome table.
 */
export async function judge(session: Session, mover: Mover, batch: Batch): Promise<void> {
  const customer = batch.hasCustomers
    ? knownCustomer(mover.accountId)
    : sql`
    select null::integer as n, null::uuid as referral_id, null::uuid as affiliate_id, false as ambiguous where false`;
  const unattributed = batch.log ? 'parked' : 'rejected';
  const inLog = batch.log ? knownToLog(mover.accountId, batch.log) : sql`false`;
  // A row that would be parked, but is parked already or stands earlier in this batch, and an id that an event has.
  const isDoubleInLog = sql`coalesce((j.in_log and (j.code is null or j.code = 'customer-unknown'))
    or (${batch.log !== undefined} and j.code = 'customer-unknown' and first_parked.n < j.n), false)`;
  await sql`/* ledger.record.judge */
    with named as materialized (${namedAffiliate(mover.accountId)}),
    customer as materialized (${customer}),
    attributed as (
      select s.n, s.external_id, s.fault, s.sales_status,
        coalesce(named.affiliate_id, customer.affiliate_id) as affiliate_id,
        case when s.affiliate is null or named.affiliate_id = customer.affiliate_id then customer.referral_id end as referral_id,
        named.affiliate_id <> customer.affiliate_id as other_affiliate,
        case
          when s.fault is not null then s.fault
          when s.affiliate is not null and named.affiliate is null then 'affiliate-unknown'
          when s.affiliate is not null and named.affiliate_id is null then 'affiliate-ambiguous'
          when s.affiliate is null and customer.ambiguous then 'customer-ambiguous'
          when s.affiliate is null and customer.affiliate_id is null then 'customer-unknown'
        end as code,
        ${fingerprint(sql`s`, sql`coalesce(named.affiliate_id, customer.affiliate_id)`)} as fingerprint
      from stage s
      left join named on named.affiliate = s.affiliate and named.affiliate_exact = s.affiliate_exact
      left join customer on customer.n = s.n
    ),
    judged as materialized (
      select a.*, c.id as conversion_id, ${inLog} as in_log,
        c.fingerprint = a.fingerprint
          and (c.sales_status = a.sales_status
            or (c.sales_status in ('complete', 'failed', 'refunded', 'partial_refunded') and a.sales_status in ('open', 'trialing'))
          ) as same
      from attributed a
      left join lateral (
        -- The limit keeps the planner to one look-up a row: while an import runs, the server's statistics do not know
        -- how many rows it has added, and reading them all for every batch would grow with the square of the file.
        select id, fingerprint, sales_status from conversion
        where account_id = ${mover.accountId} and external_id = a.external_id and a.code is null limit 1
      ) c on true
    ),
    doubled as materialized (
      select external_id from stage where external_id is not null group by external_id having count(*) > 1
    ),
    first as materialized (
      select external_id, min(n) as n from judged
      where code is null and conversion_id is null and external_id in (select external_id from doubled)
      group by external_id
    ),
    first_parked as materialized (
      select external_id, min(n) as n from judged
      where code = 'customer-unknown' and external_id in (select external_id from doubled)
      group by external_id
    ),
    refused as (
      insert into outcome (n, line, verdict, code, field, found)
      select s.n, s.line, case when j.code = 'customer-unknown' then ${unattributed} else 'rejected' end, j.code,
        case
          when s.fault is not null then s.fault_field
          when j.code like 'affiliate%' then ${batch.log ? 'metadata.affiliate_id' : 'affiliate'}
          when j.code = 'customer-ambiguous' then 'customer_email'
          else 'customer_id'
        end,
        case when s.fault is not null then s.fault_found when j.code like 'affiliate%' then s.affiliate_exact end
      from judged j join stage s on s.n = j.n left join first_parked on first_parked.external_id = j.external_id
      where j.code is not null and not ${isDoubleInLog}
    )
    insert into verdict (n, verdict, affiliate_id, referral_id, other_affiliate, fingerprint)
    select j.n,
      case
        when ${isDoubleInLog} then 'duplicate'
        when j.code = 'customer-unknown' then ${unattributed}
        when j.code is not null then 'rejected'
        when j.same then 'duplicate'
        when j.conversion_id is not null then 'known'
        when first.n < j.n then 'again'
        else 'new'
      end,
      j.affiliate_id, j.referral_id, j.other_affiliate, j.fingerprint
    from judged j
    left join first on first.external_id = j.external_id
    left join first_parked on first_parked.external_id = j.external_id`.execute(session.sql);
}

/** Whether the id of a row `a` of an event log was met before as an event of another type, or is parked. */
function knownToLog(accountId: number, log: 'new' | 'parked'): RawBuilder<unknown> {
  return sql`(a.external_id is not null and (
    exists (select from event e where e.account_id = ${accountId} and e.external_event_id = a.external_id)
    or (${log === 'new'} and a.code = 'customer-unknown' and exists (
      select from parked_event p where p.account_id = ${accountId} and p.external_event_id = a.external_id))))`;
}
