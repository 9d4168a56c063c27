import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { showId } from '../../ids.ts';
import { showAmount } from '../../money.ts';
import { share } from '../reverse/share.ts';
import type { AuditFinding } from './finding.ts';

const listed = 20;

/**
 * What does not hold of refunds and reversals: a reversal has the affiliate, programme and currency of what it takes
 * back; all reversals of a commission together take back the part that the refunds of its sale say, which is never
 * more than it, and give or take what its corrections say; a sale is as refunded as its refunds say, in its own currency; adjustments are what they say.
 */
export async function reversalFaults(session: Session, accountId: number): Promise<AuditFinding[]> {
  return [
    ...(await strangeReversals(session, accountId)),
    ...(await wrongSums(session, accountId)),
    ...(await wrongSales(session, accountId)),
    ...(await wrongAdjustments(session, accountId)),
  ];
}

async function strangeReversals(session: Session, accountId: number): Promise<AuditFinding[]> {
  const rows = await sql<{ id: string }>`/* ledger.audit.reversals */
    select r.id from commission r join commission o on o.account_id = ${accountId} and o.id = r.reverses
    where r.account_id = ${accountId} and r.reverses is not null
      and (o.affiliate_id <> r.affiliate_id or o.currency <> r.currency or o.program_id <> r.program_id
        or o.reverses is not null
        or r.amount = 0 and not exists (select from correction k where k.account_id = ${accountId} and k.id = r.id)
        or r.amount > 0 and not exists (select from correction k where k.account_id = ${accountId} and k.id = r.id)
          and not exists (
            select from refund t where t.account_id = ${accountId} and t.id = r.id and (t.gives_back or t.is_total))
        or r.amount < 0 and exists (
          select from refund t where t.account_id = ${accountId} and t.id = r.id and t.gives_back))
    order by r.id limit ${listed}`.execute(session.sql);
  return rows.rows.map(({ id }) => ({
    check: 'reversal',
    message: `${showId('commission', id)}: it takes back a commission of another affiliate, programme or currency, gives instead of taking, or takes instead of giving back`,
  }));
}

async function wrongSums(session: Session, accountId: number): Promise<AuditFinding[]> {
  const rows = await sql<{
    id: string;
    currency: string;
    reversed: bigint;
    expected: bigint;
  }>`/* ledger.audit.reversed */
    with refunded as (
      select conversion_id, sum(amount) as amount from refund
      where account_id = ${accountId} and taken_back is null group by conversion_id
    ),
    corrected as (
      select conversion_id, sum(earned) as earned from correction where account_id = ${accountId} group by conversion_id
    ),
    reversed as (
      select reverses as conversion_id, sum(amount) as amount from commission
      where account_id = ${accountId} and reverses is not null group by reverses
    ),
    part as (
      select o.id, o.currency, coalesce(-reversed.amount, 0)::bigint as reversed,
        (coalesce(${share(sql`coalesce(refunded.amount, 0)`, sql`nullif(c.amount, 0)`, sql`coalesce(corrected.earned, 0)`)}, 0)
          - coalesce(corrected.earned, 0))::bigint as expected
      from refunded full join reversed using (conversion_id) full join corrected using (conversion_id)
      join commission o on o.account_id = ${accountId} and o.id = conversion_id
      join conversion c on c.account_id = ${accountId} and c.id = o.id
    )
    select * from part where reversed <> expected order by id limit ${listed}`.execute(session.sql);
  return rows.rows.map(({ id, currency, reversed, expected }) => ({
    check: 'reversal',
    message: `${showId('commission', id)}: ${showAmount(reversed, currency)} of it are taken back, the refunds of its sale say ${showAmount(expected, currency)}`,
  }));
}

async function wrongSales(session: Session, accountId: number): Promise<AuditFinding[]> {
  const rows = await sql<{ external_id: string; sales_status: string }>`/* ledger.audit.refunded */
    with refunded as (
      select conversion_id, sum(amount) as amount, array_agg(distinct currency) as currencies
      from refund where account_id = ${accountId} and taken_back is null group by conversion_id
    )
    select c.external_id, c.sales_status
    from refunded join conversion c on c.account_id = ${accountId} and c.id = refunded.conversion_id
    where refunded.amount > c.amount or refunded.amount < 0 or refunded.currencies <> array[c.currency]
      or refunded.amount > 0
        and c.sales_status <> case when refunded.amount = c.amount then 'refunded' else 'partial_refunded' end
    union all
    select c.external_id, c.sales_status from conversion c
    where c.account_id = ${accountId} and c.sales_status in ('refunded', 'partial_refunded')
      and not coalesce((
        select sum(r.amount) > 0 from refund r
        where r.account_id = ${accountId} and r.conversion_id = c.id and r.taken_back is null), false)
    order by 1 limit ${listed}`.execute(session.sql);
  return rows.rows.map(({ external_id, sales_status }) => ({
    check: 'reversal',
    message: `sale ${external_id}: it is ${sales_status}, its refunds say otherwise`,
  }));
}

async function wrongAdjustments(session: Session, accountId: number): Promise<AuditFinding[]> {
  const rows = await sql<{ id: string }>`/* ledger.audit.adjustments */
    select a.id from adjustment a join commission m on m.account_id = ${accountId} and m.id = a.id
    where a.account_id = ${accountId} and (m.amount <> a.amount or m.currency <> a.currency
      or m.affiliate_id <> a.affiliate_id or m.program_id <> a.program_id or m.reverses is not null)
    order by a.id limit ${listed}`.execute(session.sql);
  return rows.rows.map(({ id }) => ({
    check: 'reversal',
    message: `${showId('commission', id)}: it is not what the adjustment says`,
  }));
}
