import { describe, expect, test } from 'vitest';
import type { ProgramRow } from '../../src/db/tables.ts';
import { approveBatch } from '../../src/ledger/approve.ts';
import { assertBalanced } from '../../src/ledger/audit.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { batchesOf, claimNow, commissionsOf, payoutsOf, ready } from './claiming.ts';

const { db } = await testDatabase();

describe('canceling a batch', () => {
  async function prepared(approval: ProgramRow['payout_approval']) {
    const world = await World.create(db, { payout_approval: approval });
    await world.sale((await world.affiliate()).id, ready());
    const { batches } = await claimNow(world);
    return { world, batchId: batches[0]!.batchId };
  }
  const cancel = (world: World, batchId: string) =>
    db.transaction(async (session) => {
      const done = await unclaim(session, world.mover, { batchId, reason: 'wrong minimum' });
      await assertBalanced(session, world.accountId);
      return done;
    });

  test.each(['manual', 'automatic'] as const)(
    'gives the commissions back (%s), to be prepared again',
    async (approval) => {
      const { world, batchId } = await prepared(approval);
      expect(await cancel(world, batchId)).toEqual({ currency: 'USD', payouts: 1, lines: 1, amount: 2_000n });
      expect(await payoutsOf(world)).toMatchObject([{ status: 'canceled', reason: 'wrong minimum' }]);
      expect(await commissionsOf(world)).toMatchObject([{ payout_id: null, status: 'ready_for_payment' }]);
      expect((await claimNow(world)).batches).toMatchObject([{ amount: 2_000n }]);
      expect((await batchesOf(world)).map((batch) => batch.status).sort()).toEqual([
        approval === 'automatic' ? 'approved' : 'canceled',
        approval === 'automatic' ? 'canceled' : 'draft',
      ]);
    },
  );

  test('is refused once it was exported, with the advice to use the provider’s answer', async () => {
    const { world, batchId } = await prepared('automatic');
    await db.transaction((session) =>
      markExported(session, world.mover, { batchId, format: 'paypal', files: [] }),
    );
    await expect(cancel(world, batchId)).rejects.toMatchObject({
      code: 'state',
      todo: expect.stringContaining('provider'),
    });
    expect(await payoutsOf(world)).toMatchObject([{ status: 'exported' }]);
  });

  test('is refused the second time, without a reason, and for a batch that is not there', async () => {
    const { world, batchId } = await prepared('manual');
    await expect(
      db.transaction((session) => unclaim(session, world.mover, { batchId, reason: ' ' })),
    ).rejects.toMatchObject({ code: 'usage' });
    await cancel(world, batchId);
    await expect(cancel(world, batchId)).rejects.toMatchObject({ code: 'state' });
    await expect(cancel(world, world.runId)).rejects.toMatchObject({ code: 'not-found' });
    await expect(
      db.transaction((session) => approveBatch(session, world.mover, { batchId, by: 'eve' })),
    ).rejects.toMatchObject({ code: 'state' });
  });
});
