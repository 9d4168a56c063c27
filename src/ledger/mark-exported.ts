import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import type { Mover } from './journal.ts';

export interface ExportedFile {
  name: string;
  sha256: string;
}

/**
 * Stores that an approved batch and its payouts have left, in which format and in which files. Exporting is not
 * paying: the commissions stay ready_for_payment, in their payout. Raises `state` when the batch is not approved.
 */
export async function markExported(
  session: Session,
  mover: Mover,
  { batchId, format, files }: { batchId: string; format: string; files: ExportedFile[] },
): Promise<void> {
  const marked = await session.sql
    .updateTable('payout_batch')
    .set({
      status: 'exported',
      exported_at: mover.now,
      export_format: format,
      export_files: JSON.stringify(files),
    })
    .where('account_id', '=', mover.accountId)
    .where('id', '=', batchId)
    .where('status', '=', 'approved')
    .executeTakeFirst();
  if (marked.numUpdatedRows === 0n) {
    throw new PayrunError(
      'state',
      `Batch ${showId('batch', batchId)} is not approved, so it can't be exported.`,
    );
  }
  await session.sql
    .updateTable('payout')
    .set({ status: 'exported', status_at: mover.now, status_run_id: mover.runId })
    .where('account_id', '=', mover.accountId)
    .where('batch_id', '=', batchId)
    .where('status', '=', 'approved')
    .execute();
}
