import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { Mover } from './journal.ts';
import { postings } from './journal.ts';

/** Why `declineBanned` declines. */
export const bannedReason = 'the affiliate is banned';

/**
 * The temporary table `family` names sales whose commissions are about to change: a commission and its reversals move
 * together. It is emptied when it is there.
 */
export async function createFamily(session: Session): Promise<void> {
  await session.client.query(
    'create temp table if not exists family (id uuid primary key) on commit drop; truncate family',
  );
}

/** A query: the commission and the reversals of every sale in `sales` (a table with column id), beside the sale's id. */
export function members(accountId: number, sales: RawBuilder<unknown> = sql`family`): RawBuilder<unknown> {
  return sql`
    select sale.id as sale_id, m.* from ${sales} sale cross join lateral (
      select * from commission where account_id = ${accountId} and id = sale.id
      union all
      select * from commission where account_id = ${accountId} and reverses = sale.id
    ) m`;
}

/**
 * Keeps everyone else from changing the sales in `family`, their commissions and the draft batches that these are in,
 * until the transaction ends. Order: sales, batches, commissions, reversals, each by id; whoever changes commissions in a payout
 * locks its batch first. When a commission enters a draft between the two looks, another transaction has committed a
 * claim, and the look is repeated; what is repeated holds no lock on a commission meanwhile.
 */
export async function lockFamilies(session: Session, accountId: number): Promise<void> {
  await sql`/* ledger.family.sales */
    select from conversion c where c.account_id = ${accountId} and c.id in (select id from family)
    order by c.id for no key update`.execute(session.sql);
  for (;;) {
    await session.client.query('savepoint family');
    const locked = await sql<{ id: string }>`/* ledger.family.batches */
      select b.id from payout_batch b
      where b.account_id = ${accountId} and b.status = 'draft' and b.id in (${draftsOf(accountId)})
      order by b.id for update`.execute(session.sql);
    for (const column of ['id', 'reverses'])
      await sql`/* ledger.family.commissions */
        select from commission m where m.account_id = ${accountId} and m.${sql.raw(column)} in (select id from family)
        order by m.id for update`.execute(session.sql);
    const batches = await sql<{ batch_id: string }>`/* ledger.family.again */
      ${draftsOf(accountId)}`.execute(session.sql);
    const ids = new Set(locked.rows.map((batch) => batch.id));
    if (batches.rows.every((one) => ids.has(one.batch_id))) break;
    await session.client.query('rollback to savepoint family');
  }
  await session.client.query('release savepoint family');
}

function draftsOf(accountId: number): RawBuilder<unknown> {
  return sql`
    select distinct p.batch_id from (${members(accountId)}) one
    join payout p on p.account_id = ${accountId} and p.id = one.payout_id and p.status = 'draft'`;
}

/**
 * Takes the families in `sales` (a query of ids, among those locked) whose commission is in a draft payout out of
 * their drafts: the payouts are summed again, those with nothing left to pay are canceled and give back their other
 * commissions as well, and a batch without payouts is canceled.
 */
export async function leaveDrafts(
  session: Session,
  mover: Mover,
  sales: RawBuilder<unknown>,
  reason: string,
): Promise<void> {
  const { accountId, runId, now } = mover;
  await sql`/* ledger.family.leave */
    with sale as materialized (
      select o.id from commission o join payout p on p.account_id = ${accountId} and p.id = o.payout_id and p.status = 'draft'
      where o.account_id = ${accountId} and o.id in (${sales})
    ),
    leaving as materialized (
      select m.id, m.payout_id, m.amount from (${members(accountId, sql`sale`)}) m
      join payout p on p.account_id = ${accountId} and p.id = m.payout_id and p.status = 'draft'
    ),
    left_with as materialized (
      select p.id, p.batch_id, (p.amount - sum(leaving.amount))::bigint as amount, (p.lines - count(*))::integer as lines
      from leaving join payout p on p.account_id = ${accountId} and p.id = leaving.payout_id
      group by p.id, p.batch_id, p.amount, p.lines
    ),
    resummed as (
      update payout p set amount = left_with.amount, lines = left_with.lines
      from left_with where p.account_id = ${accountId} and p.id = left_with.id and p.status = 'draft' and left_with.amount > 0
    ),
    canceled as (
      update payout p set status = 'canceled', reason = ${reason}, status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      from left_with where p.account_id = ${accountId} and p.id = left_with.id and p.status = 'draft' and left_with.amount <= 0
      returning p.id, p.batch_id
    ),
    emptied as (
      update payout_batch b set status = 'canceled'
      where b.account_id = ${accountId} and b.status = 'draft' and b.id in (select batch_id from canceled)
        and not exists (
          select from payout p where p.account_id = ${accountId} and p.batch_id = b.id and p.status <> 'canceled'
            and p.id not in (select id from canceled)
        )
    ),
    unclaimed as (
      update commission m set payout_id = null
      from left_with
      where m.account_id = ${accountId} and m.payout_id = left_with.id and m.status = 'ready_for_payment'
        and (left_with.amount <= 0 or m.id in (select id from leaving))
      returning m.affiliate_id, m.currency, m.amount
    )
    ${postings(sql`unclaimed`, mover, { movement: 'unclaim', from: 'in_payout', to: 'ready' })}`.execute(
    session.sql,
  );
}

/**
 * Declines the commissions and reversals of every sale in `family` of which nothing is left (refunded in full, failed,
 * taken back, or corrected to nothing), where none of them is in a payout: nothing of it will be paid.
 */
export async function declineSettled(session: Session, mover: Mover): Promise<void> {
  const { accountId, runId, now } = mover;
  const declined = (was: string, from: 'pending' | 'awaiting' | 'ready') =>
    postings(sql`(select * from moved where was = ${was}) moved`, mover, {
      movement: 'decline',
      from,
      to: 'declined',
    });
  await sql`/* ledger.family.decline */
    with whole as materialized (
      select o.id, coalesce(c.taken_back, case c.sales_status when 'refunded' then 'the sale was refunded in full'
        when 'failed' then 'the sale failed' else 'by what was accepted, the sale earns nothing' end) as reason
      from family f
      join conversion c on c.account_id = ${accountId} and c.id = f.id
      join commission o on o.account_id = ${accountId} and o.id = f.id and o.payout_id is null and o.status <> 'declined'
      where (c.taken_back is not null or c.sales_status in ('refunded', 'failed')
        or o.amount + (select sum(earned) from correction where account_id = ${accountId} and conversion_id = f.id) = 0)
      and not exists (
        select from commission r where r.account_id = ${accountId} and r.reverses = f.id and r.payout_id is not null
      )
    ),
    found as materialized (
      select m.id, m.status, whole.reason from (${members(accountId, sql`whole`)}) m join whole on whole.id = m.sale_id
      where m.status <> 'declined'
    ),
    moved as (
      update commission m
      set status = 'declined', reason = found.reason, status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      from found
      where m.account_id = ${accountId} and m.id = found.id and m.status = found.status and m.payout_id is null
      returning m.affiliate_id, m.currency, m.amount, found.status as was
    ),
    pending as (${declined('pending', 'pending')}),
    awaiting as (${declined('pending_manual_approval', 'awaiting')})
    ${declined('ready_for_payment', 'ready')}`.execute(session.sql);
}

/**
 * Makes the declined commissions and reversals of `sales` (a query of ids, among those locked) pending anew: what had
 * declined them holds no more, and the next release moves them on. Those of a banned affiliate stay declined.
 */
export async function restoreDeclined(
  session: Session,
  mover: Mover,
  sales: RawBuilder<unknown>,
): Promise<void> {
  const { accountId, runId, now } = mover;
  await sql`/* ledger.family.restore */
    with sale as materialized (
      select o.id from commission o join affiliate a on a.account_id = ${accountId} and a.id = o.affiliate_id
      where o.account_id = ${accountId} and o.id in (${sales}) and o.status = 'declined' and a.status <> 'banned'
        and o.reason <> ${bannedReason}
    ),
    restored as (
      update commission m set status = 'pending', reason = null, status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      from (${members(accountId, sql`sale`)}) found
      where m.account_id = ${accountId} and m.id = found.id and m.status = 'declined'
      returning m.affiliate_id, m.currency, m.amount
    )
    ${postings(sql`restored`, mover, { movement: 'restore', from: 'declined', to: 'pending' })}`.execute(
    session.sql,
  );
}

/**
 * After commissions came back from a payout that never left: reversals that were booked meanwhile, and which are in no
 * payout either, fall due with them again, and where nothing is left they are declined.
 */
export async function reunite(session: Session, mover: Mover): Promise<void> {
  const { accountId } = mover;
  await createFamily(session);
  await sql`/* ledger.family.apart */
    insert into family
    select distinct r.reverses from commission r
    cross join lateral (
      select status, payout_id from commission o where o.account_id = ${accountId} and o.id = r.reverses limit 1
    ) o
    where r.account_id = ${accountId} and r.reverses is not null and r.status = 'ready_for_payment' and r.payout_id is null
      and o.status = 'ready_for_payment' and o.payout_id is null`.execute(session.sql);
  await sql`/* ledger.family.reunite */
    update commission r set hold_until = o.hold_until
    from family f join commission o on o.account_id = ${accountId} and o.id = f.id
    where r.account_id = ${accountId} and r.reverses = f.id and r.status = 'ready_for_payment' and r.payout_id is null
      and r.hold_until <> o.hold_until`.execute(session.sql);
  await declineSettled(session, mover);
}
