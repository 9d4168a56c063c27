import { expect, test } from 'vitest';
import { listBatches, preparePayouts, showBatch } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { testWork } from '../support/work.ts';
import { World } from '../support/world.ts';

const { db } = await testDatabase();

const ready = { status: 'ready_for_payment' as const };

const prepare = async (world: World, asOf: string) =>
  preparePayouts(testWork(world, { asOf: new Date(asOf), runId: await world.run() }), {
    preparedBy: 'nightly',
  });

test('batches are listed newest first with their counts and sums, and shown one by one', async () => {
  const world = await World.create(db, { ref: 'main', payout_approval: 'manual' });
  const ann = await world.affiliate({ ref: 'ann', name: 'Ann Lee' });
  await world.sale(ann.id, { ...ready, amount: 100n, hold_until: new Date('2026-01-05T00:00:00Z') });
  await prepare(world, '2026-02-02T00:00:00Z');
  await world.sale(ann.id, { ...ready, amount: 25n });
  await prepare(world, '2026-03-02T00:00:00Z');
  const batches = await listBatches(db.sql, world.accountId);
  const summary = {
    program: 'main',
    currency: 'USD',
    method: 'paypal',
    status: 'draft',
    preparedBy: 'nightly',
    files: [],
  };
  expect(batches).toHaveLength(2);
  expect(batches).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ ...summary, period: '2026-01', payouts: 1, amount: 100n }),
      expect.objectContaining({ ...summary, period: '2026-02', payouts: 1, amount: 25n }),
    ]),
  );
  expect(await listBatches(db.sql, world.accountId, { limit: 1 })).toEqual([batches[0]]);
  expect(await listBatches(db.sql, world.accountId, { status: 'approved' })).toEqual([]);
  const january = batches.find((batch) => batch.period === '2026-01')!;
  expect(await showBatch(db.sql, world.accountId, january.batchId)).toMatchObject({
    ...january,
    byStatus: [{ status: 'draft', payouts: 1, amount: 100n }],
  });
  const neighbour = await World.create(db);
  await expect(showBatch(db.sql, neighbour.accountId, january.batchId)).rejects.toMatchObject({
    code: 'not-found',
  });
});
