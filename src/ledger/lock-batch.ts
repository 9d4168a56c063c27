import type { Selectable } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { PayoutBatchRow } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';

/**
 * Reads a payout batch (times as Date) and keeps everyone else from changing it until the transaction ends.
 * Raises `not-found`.
 */
export async function lockBatch(
  session: Session,
  accountId: number,
  batchId: string,
): Promise<Selectable<PayoutBatchRow>> {
  const batch = await session.sql
    .selectFrom('payout_batch')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', batchId)
    .forUpdate()
    .executeTakeFirst();
  if (batch) return batch;
  throw new PayrunError('not-found', 'There is no such payout batch in this account.', {
    found: showId('batch', batchId),
  });
}
