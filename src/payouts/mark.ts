import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { PayoutStatus } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import type { Mover } from '../ledger/journal.ts';
import { lockBatch } from '../ledger/lock-batch.ts';
import { type Answer, type Settled, settlePayouts } from '../ledger/settle.ts';
import { type Defaults, readResults } from './results-file.ts';

/** Which payouts, one of three ways: by reference or id, all that is exported of a batch, or as a file says. */
export type MarkChoice = { payouts: string[] } | { batchId: string } | { file: string };

/** Payouts that were marked; amounts in minor units. */
export interface Marked extends Settled {
  /** The first of them, by affiliate. */
  named: {
    reference: string;
    affiliate: string;
    status: PayoutStatus;
    amount: bigint;
    currency: string;
    reason: string | null;
  }[];
}

const namedAtMost = 50;

/** Settles the chosen payouts; raises what `readResults` and `settlePayouts` raise, and `state` for a batch that has not left. */
export async function markPayouts(
  session: Session,
  mover: Mover,
  { choice, defaults, by }: { choice: MarkChoice; defaults: Defaults; by: string },
): Promise<Marked> {
  const answers = await answersOf(session, mover.accountId, choice, defaults);
  const settled = await settlePayouts(session, mover, { answers, by });
  return { ...settled, named: await nameMarked(session, mover.accountId, settled.payoutIds) };
}

async function answersOf(
  session: Session,
  accountId: number,
  choice: MarkChoice,
  defaults: Defaults,
): Promise<Answer[]> {
  if ('file' in choice) return readResults(choice.file, defaults);
  if ('payouts' in choice) return choice.payouts.map((payout) => ({ payout, ...defaults }));
  const batch = await lockBatch(session, accountId, choice.batchId);
  if (batch.status !== 'exported' && batch.status !== 'settled') {
    throw new PayrunError(
      'state',
      `Batch ${showId('batch', batch.id)} is ${batch.status}: it was not exported, so nothing can have become of it.`,
    );
  }
  const exported = await session.sql
    .selectFrom('payout')
    .select('id as payout')
    .where('account_id', '=', accountId)
    .where('batch_id', '=', choice.batchId)
    .where('status', '=', 'exported')
    .orderBy('id')
    .execute();
  return exported.map(({ payout }) => ({ payout, ...defaults }));
}

async function nameMarked(session: Session, accountId: number, ids: string[]): Promise<Marked['named']> {
  const { rows } = await sql<Marked['named'][number]>`/* payouts.name-marked */
    select p.reference, a.ref as affiliate, p.status, p.amount, p.currency, p.reason
    from payout p join affiliate a on a.account_id = ${accountId} and a.id = p.affiliate_id
    where p.account_id = ${accountId} and p.id = any(${ids}::uuid[])
    order by a.ref collate "C", p.reference collate "C" limit ${namedAtMost}`.execute(session.sql);
  return rows;
}
