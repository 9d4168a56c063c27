import type { Selectable } from 'kysely';
import type { PayoutBatchRow, ProgramRow } from '../db/tables.ts';

type Approvals = Pick<
  Selectable<PayoutBatchRow>,
  'status' | 'prepared_by' | 'prepared_by_person' | 'first_approved_by' | 'approved_by'
>;

/** Who has said yes to a batch, in order, and how many more persons must. */
export interface Consent {
  saidYes: string[];
  needed: 0 | 1 | 2;
}

/**
 * Where the programme asks for two persons, two different ones must have said yes: who prepared and another who
 * approves, or, where a job prepared, two who approve. Else one who approves, or nobody.
 */
export function consentOf(batch: Approvals, approval: ProgramRow['payout_approval']): Consent {
  const asksForTwo = approval === 'two_persons';
  const preparer = asksForTwo && batch.prepared_by_person ? batch.prepared_by : null;
  const approver = batch.approved_by === 'automatic' ? null : batch.approved_by;
  const saidYes = [preparer, batch.first_approved_by, approver].filter((name) => name !== null);
  const wanted = asksForTwo ? 2 : 1;
  return { saidYes, needed: batch.status === 'draft' ? ((wanted - saidYes.length) as 1 | 2) : 0 };
}

/** Who still has to say yes, in words; undefined when nobody. */
export function stillNeeded({ saidYes, needed }: Consent): string | undefined {
  if (needed === 0) return undefined;
  if (needed === 2) return 'two different persons';
  return saidYes.length === 0 ? 'one person' : `one other person than ${saidYes.join(' and ')}`;
}
