import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { ConflictRow, ConversionRow } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { showAmount } from '../money.ts';
import { type Line, readFamily } from './accept/lines.ts';
import { replace } from './accept/replace.ts';
import { restate } from './accept/restate.ts';
import { acceptTaken } from './accept/taken.ts';
import { isAcceptable, type Version, versionOf } from './accept/version.ts';
import { readConflict } from './conflicts.ts';
import { createFamily, lockFamilies } from './family.ts';
import type { Mover } from './journal.ts';
import { decideConflicts } from './keep.ts';

export type { Line } from './accept/lines.ts';
export { isAcceptable } from './accept/version.ts';

/** What came of an accepted version. */
export interface Accepted {
  externalId: string;
  /** The sale that counts from now on: the same one restated, or a new one under another affiliate. */
  conversionId: string;
  way: 'restated' | 'recorded_anew';
  /** What was booked: lines that were not there before. */
  booked: Line[];
}

/**
 * Decides an open conflict for what came again: those facts count from now on, by name, and the difference is booked.
 * With the affiliate unchanged the sale is restated: its commission is computed by the terms that were fixed when it was
 * made, or by the rules of now where other products choose another rule, and the difference is a line beside it (see
 * `correct`). Hold and referral stay. With another affiliate the sale is taken back from the old one in full, and
 * recorded for the new one as any sale is; its refunds and disputes go along. Of a conflict about what was refunded in all,
 * or how a dispute ended, the difference is taken back or given back. Raises `usage` without a name,
 * `not-found`, and `state` for a conflict that was decided before or that can't be accepted; of two persons at the same
 * moment one decides.
 */
export async function acceptConflict(
  session: Session,
  mover: Mover,
  { conflictId, by, reason }: { conflictId: string; by: string; reason: string | undefined },
): Promise<Accepted> {
  const { accountId } = mover;
  await lockSale(session, accountId, conflictId);
  await decideConflicts(session, mover, 'accepted', { conflictIds: [conflictId], by, reason });
  const { conflict, conversion, program } = await readConflict(session, accountId, conflictId);
  const version = versionOf(conflict);
  if (!isAcceptable(conflict)) throw notAcceptable(conflict);
  assertCounts(conversion);
  if (version) await assertFits(session, accountId, version, conversion);
  const before = await readFamily(session, accountId, [conversion.id]);
  const isOther = version !== undefined && version.affiliate_id !== conversion.affiliate_id;
  let conversionId = conversion.id;
  if (!version) await acceptTaken(session, mover, conflict, conversion);
  else if (isOther) conversionId = await replace(session, mover, version, conversion);
  else await restate(session, mover, version, conversion, program);
  const after = await readFamily(session, accountId, [conversion.id, conversionId]);
  return {
    externalId: conflict.external_id,
    conversionId,
    way: isOther ? 'recorded_anew' : 'restated',
    booked: after.filter((line) => !before.some((one) => one.id === line.id)),
  };
}

/** Until the transaction ends nobody else changes the sale, nor decides about another version of it. */
async function lockSale(session: Session, accountId: number, conflictId: string): Promise<void> {
  const subject = () =>
    session.sql
      .selectFrom('conflict')
      .select('conversion_id')
      .where('account_id', '=', accountId)
      .where('id', '=', conflictId)
      .executeTakeFirst();
  // While this waits for its turn, another decision may put a new sale in the place of the one that it waits for.
  for (let sale = await subject(), before: string | undefined; sale?.conversion_id !== before; ) {
    before = sale?.conversion_id;
    await createFamily(session);
    await sql`insert into family values (${before}::uuid)`.execute(session.sql);
    await lockFamilies(session, accountId);
    sale = await subject();
  }
}

function notAcceptable(conflict: Selectable<ConflictRow>): PayrunError {
  const found = showId('conflict', conflict.id);
  if (conflict.about !== 'sale')
    return new PayrunError(
      'state',
      `This conflict is about a ${conflict.about}; only another version of a sale, another total of what was refunded and another end of a dispute can be accepted.`,
      {
        found,
        todo: `Keep what is recorded, and import what the ${conflict.about} lacks as a refund with an id of its own.`,
      },
    );
  return new PayrunError('state', 'An earlier Payrun kept only in what the other version differs.', {
    found,
    todo: 'Keep what is recorded, then correct the sale by a refund, or take its import back and import it anew.',
  });
}

function assertCounts(conversion: Selectable<ConversionRow>): void {
  if (conversion.taken_back === null) return;
  throw new PayrunError('state', `The sale counts no more: ${conversion.taken_back}.`, {
    found: conversion.external_id,
    todo: 'Import the file with the right version again; it is recorded as new.',
  });
}

/** What was refunded of the sale must fit what came again. */
async function assertFits(
  session: Session,
  accountId: number,
  version: Version,
  conversion: Selectable<ConversionRow>,
): Promise<void> {
  const rows = await sql<{ amount: bigint | null }>`/* ledger.accept.refunded */
    select sum(amount)::bigint as amount from refund
    where account_id = ${accountId} and conversion_id = ${conversion.id}::uuid and taken_back is null`.execute(
    session.sql,
  );
  const refunded = rows.rows[0]?.amount ?? 0n;
  if (refunded === 0n) return;
  const was = showAmount(refunded, conversion.currency);
  const todo = 'Keep what is recorded, or take the import of the refund back first.';
  const found = conversion.external_id;
  if (version.currency !== conversion.currency)
    throw new PayrunError(
      'state',
      `${was} of the sale were refunded; the other version is in ${version.currency}.`,
      {
        found,
        todo,
      },
    );
  if (version.amount < refunded)
    throw new PayrunError(
      'state',
      `${was} of the sale were refunded, which is more than the ${showAmount(version.amount, version.currency)} of the other version.`,
      { found, todo },
    );
  if (version.sales_status === 'failed')
    throw new PayrunError('state', `${was} of the sale were refunded; a failed sale can't have been.`, {
      found,
      todo,
    });
}
