import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { showId } from '../ids.ts';
import type { Refusal } from '../ledger/unclaim.ts';
import { formatAmount } from '../money.ts';

/** What a batch did not pay when it was approved or exported; amounts in minor units of its currency. */
export interface RefusedOfBatch {
  batchId: string;
  currency: string;
  refused: Refusal[];
  /** The first of those payouts, by reference. */
  named: { reference: string; affiliate: string; reason: string | null; amount: bigint }[];
}

/** How many refused payouts of a batch are named; "payrun payouts show" has them all. */
const namedAtMost = 50;

/** The first of the refused payouts of a batch, by reference. */
export async function nameRefused(
  session: Session,
  accountId: number,
  batchId: string,
  refused: Refusal[],
): Promise<RefusedOfBatch['named']> {
  if (refused.length === 0) return [];
  const references = refused.flatMap((one) => one.references);
  return session.sql
    .selectFrom('payout')
    .innerJoin('affiliate', (join) =>
      join.on('affiliate.account_id', '=', accountId).onRef('affiliate.id', '=', 'payout.affiliate_id'),
    )
    .select(['payout.reference', 'affiliate.ref as affiliate', 'payout.reason', 'payout.amount'])
    .where('payout.account_id', '=', accountId)
    .where('payout.batch_id', '=', batchId)
    .where('payout.reference', '=', sql<string>`any(${references}::text[])`)
    .orderBy(sql`payout.reference collate "C"`)
    .limit(namedAtMost)
    .execute();
}

/** The refused payouts as a report has them: counted by reason, and the first ones with their affiliates. */
export function refusedReport(batches: RefusedOfBatch[]) {
  return {
    refused: batches.flatMap(({ batchId, currency, refused }) =>
      refused.map(({ reason, references, amount }) => ({
        batch: showId('batch', batchId),
        reason,
        payouts: references.length,
        amount: formatAmount(amount, currency),
        currency,
        references: references.slice(0, namedAtMost),
      })),
    ),
    refused_affiliates: batches.flatMap(({ currency, named }) =>
      named.map(({ reference, affiliate, reason, amount }) => ({
        affiliate,
        payout: reference,
        reason,
        amount: formatAmount(amount, currency),
        currency,
      })),
    ),
  };
}
