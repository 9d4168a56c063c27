import type { Selectable } from 'kysely';
import type { ConflictRow } from '../../db/tables.ts';

/** All that the row of a conflict said of its sale. */
export interface Version extends Selectable<ConflictRow> {
  affiliate_id: string;
  amount: bigint;
  currency: string;
  occurred_at: Date;
  occurred_at_given: boolean;
}

/** Whether `acceptConflict` can let the other side count, as far as the conflict alone says. */
export function isAcceptable(conflict: Selectable<ConflictRow>): boolean {
  return versionOf(conflict) !== undefined || isAboutTaken(conflict);
}

/** Whether it is about what was taken of a sale: another total of refunds, or another end of a dispute. */
export function isAboutTaken({ about, difference }: Selectable<ConflictRow>): boolean {
  if (about === 'refund') return difference.refunded_total !== undefined;
  return about === 'dispute' && difference.dispute !== undefined;
}

/** The other version of the sale; undefined where the conflict is of something else, or has not kept it whole. */
export function versionOf(conflict: Selectable<ConflictRow>): Version | undefined {
  const { about, affiliate_id, amount, currency, occurred_at, occurred_at_given } = conflict;
  if (about !== 'sale' || affiliate_id === null || amount === null || currency === null) return undefined;
  if (occurred_at === null || occurred_at_given === null) return undefined;
  return { ...conflict, affiliate_id, amount, currency, occurred_at, occurred_at_given };
}
