import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { BatchStatus } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { reunite } from './family.ts';
import { type Mover, postings } from './journal.ts';
import { lockBatch } from './lock-batch.ts';
import { plannedForMany } from './statistics.ts';

/** What went back to ready_for_payment, in minor units of the batch's currency. */
export interface Unclaimed {
  currency: string;
  payouts: number;
  lines: number;
  amount: bigint;
}

/**
 * Cancels a batch that is a draft or approved: its payouts are canceled with the reason, its commissions are ready
 * again and the next prepare takes them up. Raises `not-found`, and `state` for any other batch: what was exported may
 * be at the provider, whose answer decides.
 */
export async function unclaim(
  session: Session,
  mover: Mover,
  { batchId, reason }: { batchId: string; reason: string },
): Promise<Unclaimed> {
  if (reason.trim() === '') throw new PayrunError('usage', 'Canceling a batch needs a reason.');
  const batch = await lockBatch(session, mover.accountId, batchId);
  if (batch.status !== 'draft' && batch.status !== 'approved') throw notCancelable(batchId, batch.status);
  await session.sql
    .updateTable('payout_batch')
    .set({ status: 'canceled' })
    .where('account_id', '=', mover.accountId)
    .where('id', '=', batchId)
    .where('status', '=', batch.status)
    .execute();
  return giveBack(session, mover, batchId, reason.trim(), sql`true`);
}

/**
 * Takes the payouts with these references out of a batch that is about to be exported, because its file can't carry
 * them; `reason` is stored with each. Their commissions are ready again.
 */
export async function refusePayouts(
  session: Session,
  mover: Mover,
  { batchId, reason, references }: { batchId: string; reason: string; references: string[] },
): Promise<Unclaimed> {
  return giveBack(session, mover, batchId, reason, sql`reference = any(${references}::text[])`);
}

/** Payouts that are not paid by their batch, for one reason; `amount` in minor units. */
export interface Refusal {
  reason: string;
  references: string[];
  amount: bigint;
}

/**
 * Takes the payouts of affiliates who are not active out of a batch that is about to be approved or exported: whoever
 * was banned or paused since it was prepared is not paid. Their commissions are ready again, and a later prepare takes
 * them up once the affiliate is active.
 */
export async function refuseInactive(session: Session, mover: Mover, batchId: string): Promise<Refusal[]> {
  const { accountId } = mover;
  const found = await plannedForMany(session, () =>
    sql<Refusal>`/* ledger.refuse-inactive */
    select 'the affiliate is ' || a.status as reason, array_agg(p.reference order by p.reference collate "C") as "references",
      sum(p.amount)::bigint as amount
    from payout p join affiliate a on a.account_id = ${accountId} and a.id = p.affiliate_id
    where p.account_id = ${accountId} and p.batch_id = ${batchId}::uuid and p.status in ('draft', 'approved')
      and a.status <> 'active'
    group by a.status order by a.status`.execute(session.sql),
  );
  for (const { reason, references } of found.rows)
    await refusePayouts(session, mover, { batchId, reason, references });
  return found.rows;
}

async function giveBack(
  session: Session,
  mover: Mover,
  batchId: string,
  reason: string,
  which: RawBuilder<unknown>,
): Promise<Unclaimed> {
  const { accountId, runId, now } = mover;
  const done = await sql<Unclaimed>`/* ledger.unclaim */
    with canceled as (
      update payout set status = 'canceled', reason = ${reason}, status_at = ${now}::timestamptz,
        status_run_id = ${runId}::uuid
      where account_id = ${accountId} and batch_id = ${batchId}::uuid and status in ('draft', 'approved') and ${which}
      returning id, affiliate_id, currency, amount, lines
    ),
    unclaimed as (
      update commission set payout_id = null
      from canceled
      where commission.account_id = ${accountId} and commission.payout_id = canceled.id
        and commission.status = 'ready_for_payment'
      returning commission.affiliate_id, commission.currency, commission.amount
    ),
    posted as (${postings(sql`unclaimed`, mover, { movement: 'unclaim', from: 'in_payout', to: 'ready' })})
    select b.currency, count(canceled.id)::integer as payouts, coalesce(sum(canceled.lines), 0)::integer as lines,
      coalesce(sum(canceled.amount), 0)::bigint as amount
    from payout_batch b left join canceled on true
    where b.account_id = ${accountId} and b.id = ${batchId}::uuid
    group by b.currency`.execute(session.sql);
  await reunite(session, mover);
  return done.rows[0]!;
}

function notCancelable(batchId: string, status: BatchStatus): PayrunError {
  const batch = showId('batch', batchId);
  if (status === 'canceled') return new PayrunError('state', `Batch ${batch} is canceled already.`);
  return new PayrunError('state', `Batch ${batch} is ${status}; what has left can't be canceled.`, {
    todo: "The file may be at the provider: use the provider's answer, which settles each payout.",
  });
}
