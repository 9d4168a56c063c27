import type { Selectable } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { ConflictRow, ConversionRow } from '../../db/tables.ts';
import { PayrunError } from '../../errors.ts';
import { showAmount } from '../../money.ts';
import { DisputeStage, dispute } from '../dispute.ts';
import type { Mover } from '../journal.ts';
import { RefundStage, reverse } from '../reverse.ts';
import { createStage } from '../stage.ts';

/**
 * Lets a total of refunds, or the end of a dispute, that was in conflict count from now on, by the door of every refund: what
 * it takes more is taken back, what it takes less is given back. Raises `state` where the total is more than the sale.
 */
export async function acceptTaken(
  session: Session,
  mover: Mover,
  conflict: Selectable<ConflictRow>,
  conversion: Selectable<ConversionRow>,
): Promise<void> {
  await createStage(session);
  const refunds = await new RefundStage(session).open();
  if (conflict.about === 'dispute') await acceptEnd(session, mover, conflict, conversion);
  else await stageTotal(refunds, mover, conflict, conversion);
  await refunds.flush();
  const { rows } = await reverse(session, mover, conflict.import_id);
  if (rows.rejected === 0) return;
  throw new PayrunError(
    'state',
    `More was refunded than the ${showAmount(conversion.amount, conversion.currency)} of the sale.`,
    { found: conversion.external_id, todo: 'Keep what is recorded, and look into the export.' },
  );
}

async function stageTotal(
  stage: RefundStage,
  mover: Mover,
  conflict: Selectable<ConflictRow>,
  conversion: Selectable<ConversionRow>,
): Promise<void> {
  // Conflicts of the first versions keep nothing but the difference.
  await stage.add({
    n: 1,
    line: conflict.line,
    externalId: `${conflict.external_id}#accepted:${conflict.id}`,
    saleExternalId: conversion.external_id,
    amount: conflict.amount ?? BigInt(conflict.difference.refunded_total!.theirs!),
    isTotal: true,
    currency: conflict.currency ?? conversion.currency,
    occurredAt: (conflict.occurred_at ?? mover.now).toISOString(),
    occurredAtGiven: conflict.occurred_at_given ?? false,
    accepted: true,
  });
}

async function acceptEnd(
  session: Session,
  mover: Mover,
  conflict: Selectable<ConflictRow>,
  conversion: Selectable<ConversionRow>,
): Promise<void> {
  const known = await session.sql
    .selectFrom('dispute')
    .select(['amount', 'currency'])
    .where('account_id', '=', mover.accountId)
    .where('external_id', '=', conflict.external_id)
    .executeTakeFirstOrThrow();
  const stage = await new DisputeStage(session).open();
  await stage.add({
    n: 1,
    line: conflict.line,
    externalId: conflict.external_id,
    saleExternalId: conversion.external_id,
    state: conflict.difference.dispute!.theirs as 'won' | 'lost',
    amount: conflict.amount ?? known.amount,
    currency: conflict.currency ?? known.currency,
    occurredAt: (conflict.occurred_at ?? mover.now).toISOString(),
    accepted: true,
  });
  await stage.flush();
  await dispute(session, mover, conflict.import_id);
}
