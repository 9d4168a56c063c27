import path from 'node:path';
import type { Session } from '../db/connect.ts';
import { listed, PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { approveBatch } from '../ledger/approve.ts';
import { heldOutcome } from '../ledger/held.ts';
import { lockBatch } from '../ledger/lock-batch.ts';
import type { Answered } from '../ledger/settle.ts';
import { plannedForMany } from '../ledger/statistics.ts';
import { unclaim } from '../ledger/unclaim.ts';
import { savepoint } from '../runs/fence.ts';
import { addOutcomes } from '../runs/outcome.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { type BatchExport, exportBatch, fileBase, ownFormat } from './export.ts';
import { filesStartingWith, sweepOutbox } from './files.ts';
import { showBatch } from './list.ts';
import { type MarkChoice, markPayouts } from './mark.ts';
import { approveOutcome, cancelOutcome, exportOutcome, type FailedExport, markOutcome } from './outcomes.ts';
import { listPayees, type PayeeChoice } from './payees.ts';
import { preparePrograms } from './prepare.ts';
import { prepareOutcome } from './prepare-outcome.ts';
import { nameRefused } from './refused.ts';

export { type BatchDetails, type BatchSummary, listBatches, showBatch } from './list.ts';
export type { MarkChoice } from './mark.ts';
export { listPayees, type Payee, pagePayouts } from './payees.ts';
export { toDoInPayouts } from './to-do.ts';
export { batchView, payoutView, viewBatch, viewPayout } from './views.ts';
export { readPayoutWarnings } from './warn.ts';

/** How many payouts the report of a preparation lists; "payrun payouts show" has them all. */
const payeesListed = 50;

/**
 * Gathers what is ready into payouts, for every programme of the account and its latest closed period; whoever is
 * left out is listed with the reason, and who gets what by name, the first of them unless `payees` says which. `preparedBy`
 * is a person's name or a job's, which an approver is compared with.
 */
export async function preparePayouts(
  work: Work,
  {
    preparedBy,
    payees = {},
  }: { preparedBy: string; payees?: Partial<Omit<PayeeChoice, 'batchIds'>> | undefined },
): Promise<Outcome> {
  const name = requireName(preparedBy, 'Preparing payouts');
  const accountId = work.account.id;
  return work.transaction(async (session, mover) => {
    const prepared = await preparePrograms(session, mover, { asOf: work.asOf, preparedBy: name });
    const batchIds = prepared.flatMap(({ batches }) => batches.map(({ batchId }) => batchId));
    const choice = { ...payees, limit: payees.limit ?? payeesListed, batchIds };
    const listed = await plannedForMany(session, () => listPayees(session, accountId, choice));
    const drafts = prepared.flatMap(({ status, batches }) => (status === 'draft' ? batches : []));
    const needed = new Map<string, string | undefined>();
    for (const { batchId } of drafts)
      needed.set(batchId, (await showBatch(session.sql, accountId, batchId)).stillNeeded);
    const outcome = prepareOutcome(prepared, listed, needed);
    const held = await heldOutcome(session, accountId, work.asOf);
    return { ...addOutcomes(outcome, held), report: { ...outcome.report, ...held.report } };
  });
}

/**
 * Approves a draft batch by name; exit code 3 when affiliates in it are not active, whose payouts are refused.
 * Raises `not-found` and `state`.
 */
export function approvePayouts(
  work: Work,
  { batchId, by }: { batchId: string; by: string },
): Promise<Outcome> {
  return work.transaction(async (session, mover) => {
    const refused = await approveBatch(session, mover, { batchId, by });
    const batch = await showBatch(session.sql, work.account.id, batchId);
    const named = await nameRefused(session, work.account.id, batchId, refused);
    return approveOutcome(batch, { batchId, currency: batch.currency, refused, named });
  });
}

/**
 * Writes the files of a batch into the workspace's outbox, or, without `batchId`, of every batch that is approved.
 * Then one that fails does not keep the others from leaving; the outcome says so with exit code 1, and with 3 when
 * payouts were refused. Without `format` it is the export that counts; the report asked for by name, or in `detail`,
 * changes nothing. Raises `not-found`, `usage`, `state`, `file-exists`, `no-permission`, `disk-full`
 * and the like.
 */
export async function exportPayouts(
  work: Work,
  choice: { batchId?: string | undefined; format?: string | undefined; detail?: boolean | undefined },
): Promise<Outcome> {
  const { dryRun, context } = work;
  const folder = outboxOf(work);
  const options = { ...choice, folder, fileMode: context.config.file_mode, dryRun, signal: context.signal };
  if (!dryRun) await sweepOutbox(context, folder);
  return work.transaction(async (session, mover) => {
    const exportOne = (one: Session, batchId: string) => exportBatch(one, mover, { ...options, batchId });
    if (choice.batchId !== undefined) return exportOutcome([await exportOne(session, choice.batchId)], []);
    const exported: BatchExport[] = [];
    const failed: FailedExport[] = [];
    for (const batchId of await approvedBatches(session, work.account.id)) {
      try {
        exported.push(await savepoint(session, (inner) => exportOne(inner, batchId)));
      } catch (cause) {
        failed.push({ batchId, fault: faultOfOneBatch(cause) });
      }
    }
    return exportOutcome(exported, failed);
  });
}

/**
 * Cancels a batch that has not left; its commissions are ready again. Raises `not-found`, and `state` once it was
 * exported, or while files of an export that was cut off stand in the outbox: they might be uploaded all the same.
 */
export function cancelPayouts(
  work: Work,
  { batchId, reason }: { batchId: string; reason: string },
): Promise<Outcome> {
  return work.transaction(async (session, mover) => {
    const batch = await lockBatch(session, work.account.id, batchId);
    const given = await unclaim(session, mover, { batchId, reason });
    const left = await filesStartingWith(outboxOf(work), `${fileBase(batch, ownFormat(batch))}.`);
    if (left.length > 0) throw leftBehind(batchId, left);
    return cancelOutcome(given);
  });
}

/**
 * Marks exported payouts as paid, failed or returned, by name, all of them or none; what failed or came back is ready to
 * be paid again. Where a row of a file says nothing, `outcome`, `reference` (the provider's) and `reason` count.
 * Raises `not-found`, `usage`, `state`, `file-unreadable` and `file-refused`.
 */
export function settleByHand(
  work: Work,
  given: {
    choice: MarkChoice;
    outcome: Answered;
    reference?: string | undefined;
    reason?: string | undefined;
    by: string;
  },
): Promise<Outcome> {
  const defaults = {
    outcome: given.outcome,
    providerReference: given.reference?.trim() || null,
    reason: given.reason?.trim() || null,
  };
  const { choice, by } = given;
  return work.transaction(async (session, mover) =>
    markOutcome(await markPayouts(session, mover, { choice, defaults, by })),
  );
}

function outboxOf(work: Work): string {
  return path.join(work.context.config.workspace, 'outbox');
}

async function approvedBatches(session: Session, accountId: number): Promise<string[]> {
  const rows = await session.sql
    .selectFrom('payout_batch')
    .select('id')
    .where('account_id', '=', accountId)
    .where('status', '=', 'approved')
    .orderBy('id')
    .execute();
  return rows.map((row) => row.id);
}

/** What concerns one batch alone; anything else ends the whole export. */
function faultOfOneBatch(cause: unknown): PayrunError {
  if (cause instanceof PayrunError && (cause.code === 'file-exists' || cause.code === 'state')) return cause;
  throw cause;
}

function requireName(name: string, what: string): string {
  if (name.trim() !== '') return name.trim();
  throw new PayrunError('usage', `${what} needs the name of who does it.`);
}

function leftBehind(batchId: string, files: string[]): PayrunError {
  const batch = showId('batch', batchId);
  return new PayrunError(
    'state',
    `An export of batch ${batch} was cut off, and its files stand in the outbox.`,
    {
      found: listed(files),
      todo: `Finish it with "payrun payouts export ${batch}"; or, if nothing was uploaded, delete the files and cancel again.`,
    },
  );
}
