import type { Db, Session } from '../../src/db/connect.ts';
import type { CommissionRow, ConversionRow } from '../../src/db/tables.ts';
import { newId } from '../../src/ids.ts';
import { approveBatch } from '../../src/ledger/approve.ts';
import { auditBooks } from '../../src/ledger/audit.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { RefundStage, type Reversed, reverse, type StagedRefund } from '../../src/ledger/reverse.ts';
import { settlePayouts } from '../../src/ledger/settle.ts';
import { createStage } from '../../src/ledger/stage.ts';
import { today, World } from '../support/world.ts';
import { batchesOf, claimNow, commissionsOf, payoutsOf } from './claiming.ts';
import { paidBy } from './settling.ts';

export const refundDay = '2026-02-20T12:00:00.000Z';

/** What a test says of a refund: by default one of 25.00 USD of the sale `S`. */
export type Refund = Partial<StagedRefund>;

/** Refunds in the caller's transaction. */
export async function refundIn(session: Session, world: World, refunds: Refund[]): Promise<Reversed> {
  await createStage(session);
  const stage = await new RefundStage(session).open();
  for (const [index, refund] of refunds.entries())
    await stage.add({
      n: index + 1,
      line: index + 2,
      externalId: `r-${index + 1}`,
      saleExternalId: 'S',
      amount: 2_500n,
      isTotal: false,
      currency: 'USD',
      occurredAt: refundDay,
      occurredAtGiven: true,
      ...refund,
    });
  await stage.flush();
  return reverse(session, world.mover, newId(today));
}

/** Refunds in a transaction of its own, which ends with the audit; how the rows ended, without zeros. */
export async function refund(world: World, ...refunds: Refund[]): Promise<Record<string, number>> {
  const { rows } = await world.db.transaction(async (session) => {
    const reversed = await refundIn(session, world, refunds);
    await prove(session, world);
    return reversed;
  });
  return Object.fromEntries(Object.entries(rows).filter(([, count]) => count > 0));
}

/** Fails with what the audit has to say; sales of the row factory came with no import, which is not asked here. */
export async function prove(session: Session, world: World): Promise<void> {
  const findings = (await auditBooks(session, world.accountId)).map((finding) => finding.message);
  const said = findings.filter((message) => !message.endsWith('conversions without their import'));
  if (said.length > 0) throw new Error(said.join('\n'));
}

/** Commissions as `amount status`, with the payout's status where they are in one; those of the sale first. */
export async function lines(world: World): Promise<string[]> {
  const payouts = await payoutsOf(world);
  const rows = await commissionsOf(world);
  rows.sort((a, b) => (a.amount < b.amount ? 1 : -1));
  return rows.map(({ amount, status, payout_id }) => {
    const payout = payouts.find((one) => one.id === payout_id);
    return `${amount} ${status}${payout ? ` in ${payout.status}` : ''}`;
  });
}

/** A world with the sale `S` of 100.00 USD, whose commission of 20.00 is in the given state, due since 9 February. */
export async function sold(
  db: Db,
  commission: Partial<CommissionRow> = {},
  conversion: Partial<ConversionRow> = {},
): Promise<{ world: World; affiliateId: string; id: string }> {
  const world = await World.create(db, { payout_approval: 'manual' });
  const affiliate = await world.affiliate();
  const id = await world.sale(affiliate.id, commission, { external_id: 'S', ...conversion });
  return { world, affiliateId: affiliate.id, id };
}

export type Stage = 'draft' | 'approved' | 'exported' | 'paid';

/** Prepares what is ready, and takes the batches on until `stage`. */
export async function payOut(world: World, stage: Stage, plan?: Parameters<typeof claimNow>[1]) {
  await claimNow(world, plan);
  if (stage === 'draft') return;
  for (const batch of await batchesOf(world)) {
    if (batch.status !== 'draft') continue;
    await world.db.transaction((session) =>
      approveBatch(session, world.mover, { batchId: batch.id, by: 'eve' }),
    );
    if (stage === 'approved') continue;
    await world.db.transaction((session) =>
      markExported(session, world.mover, { batchId: batch.id, format: 'paypal', files: [] }),
    );
    if (stage === 'exported') continue;
    for (const payout of await payoutsOf(world)) {
      if (payout.batch_id !== batch.id) continue;
      const payment = { payoutId: payout.id, providerReference: `T-${payout.reference}`, by: 'eve' };
      await world.db.transaction((session) => settlePayouts(session, world.mover, paidBy(payment)));
    }
  }
}
