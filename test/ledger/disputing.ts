import type { Session } from '../../src/db/connect.ts';
import { newId } from '../../src/ids.ts';
import { type Disputed, DisputeStage, dispute, type StagedDispute } from '../../src/ledger/dispute.ts';
import { RefundStage, reverse } from '../../src/ledger/reverse.ts';
import { createStage } from '../../src/ledger/stage.ts';
import { today, type World } from '../support/world.ts';
import { prove } from './refunding.ts';

/** What a test says of a dispute: by default that `D`, about the whole sale `S` of 100.00 USD, was opened. */
export type Dispute = Partial<StagedDispute>;

/** Disputes in the caller's transaction, and the refunds that lost ones become. */
export async function disputeIn(session: Session, world: World, disputes: Dispute[]): Promise<Disputed> {
  const importId = newId(today);
  await createStage(session);
  await new RefundStage(session).open();
  const stage = await new DisputeStage(session).open();
  for (const [index, one] of disputes.entries())
    await stage.add({
      n: index + 1,
      line: index + 2,
      externalId: 'D',
      saleExternalId: 'S',
      state: 'opened',
      amount: 10_000n,
      currency: 'USD',
      occurredAt: `2026-02-2${index}T12:00:00Z`,
      ...one,
    });
  await stage.flush();
  const disputed = await dispute(session, world.mover, importId);
  await reverse(session, world.mover, importId);
  return disputed;
}

/** Disputes in a transaction of its own, which ends with the audit; how the rows ended, without zeros. */
export async function disputes(world: World, ...given: Dispute[]): Promise<Record<string, number>> {
  const { rows } = await world.db.transaction(async (session) => {
    const disputed = await disputeIn(session, world, given);
    await prove(session, world);
    return disputed;
  });
  return Object.fromEntries(Object.entries(rows).filter(([, count]) => count > 0));
}
