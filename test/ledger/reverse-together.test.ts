import { describe, expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { approveBatch } from '../../src/ledger/approve.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import type { World } from '../support/world.ts';
import {
  batchesOf,
  claimAndAudit,
  claimNow,
  commissionsOf,
  march,
  payoutsOf,
  planFor,
  ready,
} from './claiming.ts';
import { disputeIn } from './disputing.ts';
import { lines, payOut, prove, type Refund, refundIn, sold } from './refunding.ts';

const { db } = await testDatabase();

/** Does `second` on another connection while `first` is not committed yet, and waits for both. */
async function meanwhile<T>(
  first: (session: Session) => Promise<unknown>,
  second: () => Promise<T>,
  world: World,
): Promise<T> {
  const other = await db.transaction(async (session) => {
    await first(session);
    const work = second();
    work.catch(() => {});
    await waitsForLock(db, work);
    return { work };
  });
  const result = await other.work;
  await db.session((session) => prove(session, world));
  return result;
}

const refundOf =
  (world: World, refund: Refund = {}) =>
  (session: Session) =>
    refundIn(session, world, [refund]);
const asOf = new Date('2026-03-02T03:00:00Z');

describe('at the same moment', () => {
  test('two imports of one refund: it is booked once, the other sees a duplicate', async () => {
    const { world } = await sold(db);
    const second = await meanwhile(refundOf(world), () => db.transaction(refundOf(world)), world);
    expect(second.rows).toMatchObject({ recorded: 0, duplicates: 1 });
    expect(await lines(world)).toEqual(['2000 pending', '-500 pending']);
  });

  test('two refunds that are together more than the sale: the second is rejected', async () => {
    const { world } = await sold(db);
    const second = await meanwhile(
      refundOf(world, { externalId: 'a', amount: 6_000n }),
      () => db.transaction(refundOf(world, { externalId: 'b', amount: 6_000n })),
      world,
    );
    expect(second.rows).toMatchObject({ recorded: 0, rejected: 1 });
  });

  test('two of a sale that earned nothing, which are together more than it: the second is rejected as well', async () => {
    const { world, id } = await sold(db);
    await db.sql.deleteFrom('commission').where('id', '=', id).execute();
    await db.sql.deleteFrom('posting').where('account_id', '=', world.accountId).execute();
    await db.sql
      .updateTable('conversion')
      .set({ no_commission_reason: 'none' })
      .where('id', '=', id)
      .execute();
    const second = await meanwhile(
      refundOf(world, { externalId: 'a', amount: 6_000n }),
      () => db.transaction(refundOf(world, { externalId: 'b', amount: 6_000n })),
      world,
    );
    expect(second.rows).toMatchObject({ recorded: 0, rejected: 1 });
  });

  test('a release that waits for a refund releases the reversal as well', async () => {
    const { world } = await sold(db);
    await meanwhile(
      refundOf(world),
      () => db.transaction((session) => releaseHolds(session, world.mover, { asOf })),
      world,
    );
    expect(await lines(world)).toEqual(['2000 ready_for_payment', '-500 ready_for_payment']);
  });

  test('a refund that waits for a release takes the status that the commission then has', async () => {
    const { world } = await sold(db);
    await meanwhile(
      (session) => releaseHolds(session, world.mover, { asOf }),
      () => db.transaction(refundOf(world)),
      world,
    );
    expect(await lines(world)).toEqual(['2000 ready_for_payment', '-500 ready_for_payment']);
  });

  test('a prepare that waits for a refund takes both up', async () => {
    const { world } = await sold(db, ready());
    const claimed = await meanwhile(refundOf(world), () => claimNow(world), world);
    expect(claimed.batches).toMatchObject([{ amount: 1_500n, lines: 2 }]);
  });

  test('a prepare that waits for a refund in full, or for a dispute, takes nothing up', async () => {
    const { world } = await sold(db, ready());
    const none = { batches: [], carried: [], leftOut: [], waiting: [] };
    expect(
      await meanwhile(
        (session) => disputeIn(session, world, [{}]),
        () => claimNow(world),
        world,
      ),
    ).toEqual(none);
    const { world: another } = await sold(db, ready());
    expect(
      await meanwhile(refundOf(another, { amount: 10_000n }), () => claimNow(another, march), another),
    ).toEqual(none);
  });

  test('a refund that waits for a prepare takes the commission out of the draft again', async () => {
    const { world } = await sold(db, ready());
    const plan = await planFor(world);
    await meanwhile(
      (session) => claimAndAudit(session, world, world.mover, plan),
      () => db.transaction(refundOf(world)),
      world,
    );
    expect(await payoutsOf(world)).toMatchObject([{ status: 'canceled' }]);
  });

  test('a refund that waits for an approval lets the payout stand', async () => {
    const { world } = await sold(db, ready());
    await payOut(world, 'draft');
    const [batch] = await batchesOf(world);
    await meanwhile(
      (session) => approveBatch(session, world.mover, { batchId: batch!.id, by: 'eve' }),
      () => db.transaction(refundOf(world)),
      world,
    );
    expect(await lines(world)).toEqual(['2000 ready_for_payment in approved', '-500 ready_for_payment']);
  });

  test('an approval that waits for a refund which empties the batch is refused', async () => {
    const { world } = await sold(db, ready());
    await payOut(world, 'draft');
    const [batch] = await batchesOf(world);
    const approval = meanwhile(
      refundOf(world),
      () =>
        db.transaction((session) => approveBatch(session, world.mover, { batchId: batch!.id, by: 'eve' })),
      world,
    );
    await expect(approval).rejects.toMatchObject({ code: 'state' });
    expect((await commissionsOf(world)).every((one) => one.payout_id === null)).toBe(true);
  });
});
