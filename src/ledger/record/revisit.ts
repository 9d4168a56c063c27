import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { newIdPrefix } from '../../ids.ts';
import { type Mover, postings } from '../journal.ts';
import type { Batch, Judged } from './batch.ts';
import { difference, type Facts } from './difference.ts';
import { customersOf } from './introduce.ts';

const theirs: Omit<Facts, 'productIds'> = {
  affiliateId: sql`v.affiliate_id`,
  affiliateRef: sql`theirs.ref`,
  row: sql`s`,
};

/**
 * Looks closer at the rows whose id is known but which are not plainly the same. A row without a status says nothing of
 * it. Same facts and a status that moves on (open or trialing to complete or failed): the sale is moved along and counted as updated; a failed
 * sale declines its commission, a complete one makes its referral a customer. Other facts: kept as a conflict, field
 * by field, with all that the row said; unless a person has decided about the very same facts before. Anything else is
 * a duplicate. A conflict that stands several times in a file is kept once, with all its lines. Conflicts and updates are marked in the outcome table, for what stands beside them in the file. Returns
 * how many rows ended which way.
 */
export async function revisit(session: Session, mover: Mover, batch: Batch): Promise<Judged[]> {
  const { accountId } = mover;
  const productIds = batch.mayOmitProducts ? sql`coalesce(t.product_ids, c.product_ids)` : sql`t.product_ids`;
  await session.client.query("set local timezone = 'UTC'");
  const judged = await sql<Judged>`/* ledger.record.revisit */
    with looked as materialized (
      select s.n, s.line, s.external_id, v.fingerprint, c.id as conversion_id, c.sales_status as ours,
        coalesce(s.sales_status, case when c.sales_status in ('refunded', 'partial_refunded') then 'complete'
          else c.sales_status end) as theirs, s.sales_status is not null as says_status, v.other_affiliate, v.affiliate_id, s.amount, s.currency, s.occurred_at, s.occurred_at_given, ${productIds} as product_ids, t.price_ids, t.interval,
        t.is_subscription, s.fx_rate, s.fx_day, s.fx_source,
        ${difference({ ...theirs, productIds })} as difference
      from verdict v
      join stage s on s.n = v.n
      join terms t on t.no = s.terms_no
      join conversion c on c.account_id = ${accountId} and c.external_id = s.external_id
      join affiliate ours on ours.account_id = ${accountId} and ours.id = c.affiliate_id
      join affiliate theirs on theirs.account_id = ${accountId} and theirs.id = v.affiliate_id
      where v.verdict in ('known', 'again')
    ),
    moved as materialized (
      select distinct on (conversion_id) conversion_id, n, theirs from looked
      where difference = '{}' and ours in ('open', 'trialing') and theirs in ('complete', 'failed')
      order by conversion_id, n
    ),
    judged as materialized (
      select looked.*, coalesce(moved.theirs, looked.ours) as ended,
        case
          when moved.n = looked.n then 'updated'
          when decided.id is not null then 'duplicate'
          when looked.difference <> '{}' then 'conflict'
          when looked.theirs in ('complete', 'failed') and looked.theirs <> coalesce(moved.theirs, looked.ours)
            and coalesce(moved.theirs, looked.ours) in ('complete', 'failed') then 'conflict'
          else 'duplicate'
        end as verdict
      from looked
      left join moved using (conversion_id)
      left join lateral (
        select d.id from conflict d
        where d.account_id = ${accountId} and d.conversion_id = looked.conversion_id and d.fingerprint = looked.fingerprint
          and (d.sales_status = looked.theirs or not looked.says_status) and d.status in ('kept', 'accepted')
        limit 1
      ) decided on true
    ),
    conflicts as (
      insert into conflict (account_id, id, conversion_id, import_id, line, further_lines, external_id, fingerprint, sales_status, difference, status,
        found_at, affiliate_id, amount, currency, occurred_at, occurred_at_given, product_ids, price_ids, interval,
        is_subscription, fx_rate, fx_day, fx_source)
      select ${accountId}::integer, (${newIdPrefix(mover.now)} || lpad(to_hex(n), 10, '0'))::uuid, conversion_id,
        ${batch.importId}::uuid, line, further_lines, external_id, fingerprint, theirs,
        case when difference = '{}' then jsonb_build_object('sales_status', jsonb_build_object('ours', ended, 'theirs', theirs))
          else difference end,
        'open', ${mover.now}::timestamptz, affiliate_id, amount, currency, occurred_at, occurred_at_given, product_ids, price_ids,
        interval, is_subscription, fx_rate, fx_day, fx_source
      from (
        select distinct on (conversion_id, fingerprint, theirs) *,
          array_remove(array_agg(line) over (partition by conversion_id, fingerprint, theirs), line) as further_lines
        from judged where verdict = 'conflict' order by conversion_id, fingerprint, theirs, n
      ) each order by n
      on conflict (account_id, conversion_id, fingerprint, sales_status) where status <> 'withdrawn'
      do update set further_lines = conflict.further_lines || excluded.line || excluded.further_lines
        where conflict.import_id = excluded.import_id
    ),
    sales as (
      update conversion c set sales_status = moved.theirs from moved
      where c.account_id = ${accountId} and c.id = moved.conversion_id and c.sales_status in ('open', 'trialing')
    ),
    sold as (
      select c.referral_id, c.occurred_at, c.is_subscription, moved.theirs as sales_status
      from moved join conversion c on c.account_id = ${accountId} and c.id = moved.conversion_id
      where moved.theirs = 'complete' and c.referral_id is not null
    ),
    customers as (${customersOf(sql`sold`, mover)}),
    declined as (
      update commission m set status = 'declined', reason = 'the sale failed', status_at = ${mover.now}::timestamptz,
        status_run_id = ${mover.runId}::uuid
      from moved
      where m.account_id = ${accountId} and m.id = moved.conversion_id and m.status = 'pending' and moved.theirs = 'failed'
      returning m.affiliate_id, m.currency, m.amount
    ),
    marked as (
      insert into outcome (n, line, verdict) select n, line, verdict from judged where verdict in ('conflict', 'updated')
    ),
    posted as (${postings(sql`declined`, mover, { movement: 'decline', from: 'pending', to: 'declined' })})
    select verdict, count(*)::integer as rows, (count(*) filter (where other_affiliate))::integer as others,
      coalesce(min(line) filter (where other_affiliate), 0) as "firstLine"
    from judged group by verdict`.execute(session.sql);
  return judged.rows;
}
