import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { type Mover, postings } from './journal.ts';
import { lockBatch } from './lock-batch.ts';
import { personNamed } from './person.ts';

/** One payout that the provider, or a person, says has arrived; `amount` in minor units. */
export interface Paid {
  payoutId: string;
  batchId: string;
  reference: string;
  currency: string;
  amount: bigint;
  lines: number;
  /** It had been marked before, with the same provider reference; nothing changed. */
  alreadyPaid: boolean;
  /** Nothing of its batch is under way any more. */
  batchSettled: boolean;
}

/**
 * Marks an exported payout, and the commissions in it, as paid, by name; its batch is settled with its last payout.
 * Again with the same provider reference changes nothing. Raises `usage` without name or reference, `not-found`, and
 * `state` for a payout that was not exported, or was paid under another reference.
 */
export async function markPaid(
  session: Session,
  mover: Mover,
  payment: { payoutId: string; providerReference: string; by: string },
): Promise<Paid> {
  const providerReference = payment.providerReference.trim();
  const by = personNamed(payment.by, 'Marking a payout');
  if (providerReference === '') {
    throw new PayrunError('usage', "Marking a payout as paid needs the provider's reference and a name.");
  }
  const payout = await lockPayout(session, mover, payment.payoutId);
  const facts = {
    payoutId: payout.id,
    batchId: payout.batch_id,
    reference: payout.reference,
    currency: payout.currency,
    amount: payout.amount,
    lines: payout.lines,
  };
  if (payout.status === 'paid' && payout.provider_reference === providerReference) {
    return { ...facts, alreadyPaid: true, batchSettled: false };
  }
  if (payout.status !== 'exported') throw notPayable(payout);
  await pay(session, mover, { payoutId: payout.id, providerReference, by });
  return { ...facts, alreadyPaid: false, batchSettled: await settleBatch(session, mover, payout.batch_id) };
}

/** The batch is settled, in the same transaction, once all of its payouts have an answer. True when this did it. */
export async function settleBatch(session: Session, mover: Mover, batchId: string): Promise<boolean> {
  const settled = await session.sql
    .updateTable('payout_batch')
    .set({ status: 'settled' })
    .where('account_id', '=', mover.accountId)
    .where('id', '=', batchId)
    .where('status', '=', 'exported')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('payout')
            .where('account_id', '=', mover.accountId)
            .where('batch_id', '=', batchId)
            .where('status', 'not in', ['paid', 'failed', 'returned', 'canceled']),
        ),
      ),
    )
    .executeTakeFirst();
  return settled.numUpdatedRows > 0n;
}

/** Locks the payout's batch first, so that of two last payouts at once one sees the other and settles the batch. */
async function lockPayout(session: Session, mover: Mover, payoutId: string) {
  const find = session.sql
    .selectFrom('payout')
    .selectAll()
    .where('account_id', '=', mover.accountId)
    .where('id', '=', payoutId);
  const found = await find.executeTakeFirst();
  if (!found) {
    throw new PayrunError('not-found', 'There is no such payout in this account.', {
      found: showId('payout', payoutId),
    });
  }
  await lockBatch(session, mover.accountId, found.batch_id);
  return find.executeTakeFirstOrThrow();
}

async function pay(
  session: Session,
  mover: Mover,
  { payoutId, providerReference, by }: { payoutId: string; providerReference: string; by: string },
): Promise<void> {
  const { accountId, runId, now } = mover;
  const done = await sql<{ agrees: boolean }>`/* ledger.pay */
    with settled as (
      update payout set status = 'paid', provider_reference = ${providerReference}, settled_by = ${by},
        status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      where account_id = ${accountId} and id = ${payoutId}::uuid and status = 'exported'
      returning id, amount, lines
    ),
    paid as (
      update commission set status = 'paid', status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      from settled
      where commission.account_id = ${accountId} and commission.payout_id = settled.id
        and commission.status = 'ready_for_payment'
      returning commission.affiliate_id, commission.currency, commission.amount
    ),
    posted as (${postings(sql`paid`, mover, { movement: 'pay', from: 'in_payout', to: 'paid' })})
    select settled.amount = (select sum(amount) from paid) and settled.lines = (select count(*) from paid) as agrees
    from settled`.execute(session.sql);
  if (!done.rows[0]?.agrees) {
    throw new PayrunError(
      'books-adrift',
      `Payout ${showId('payout', payoutId)} is not the sum of its commissions.`,
    );
  }
}

function notPayable(payout: { id: string; status: string; provider_reference: string | null }): PayrunError {
  const shown = showId('payout', payout.id);
  if (payout.status === 'paid') {
    return new PayrunError('state', `Payout ${shown} was paid already, under another reference.`, {
      found: payout.provider_reference ?? '',
      todo: 'Look for a payment made twice before anything else; one payout can have one provider reference only.',
    });
  }
  if (payout.status === 'draft' || payout.status === 'approved') {
    return new PayrunError(
      'state',
      `Payout ${shown} is ${payout.status}: it was not exported yet, so nobody can have paid it.`,
      {
        todo: 'Export its batch first with "payrun payouts export".',
      },
    );
  }
  return new PayrunError(
    'state',
    `Payout ${shown} is ${payout.status}; its commissions went back to be paid again.`,
  );
}
