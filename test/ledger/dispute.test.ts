import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { approveCommissions } from '../../src/ledger/approve.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { testDatabase } from '../support/database.ts';
import { holds } from '../support/property.ts';
import type { World } from '../support/world.ts';
import { claimNow, march, payoutsOf, ready } from './claiming.ts';
import { disputes } from './disputing.ts';
import { lines, payOut, refund, sold } from './refunding.ts';

const { db } = await testDatabase();

const release = (world: World) =>
  db.transaction((session) => releaseHolds(session, world.mover, { asOf: new Date('2026-03-02T03:00:00Z') }));

async function statusOf(world: World, externalId = 'D'): Promise<string | undefined> {
  const found = await db.sql
    .selectFrom('dispute')
    .select('status')
    .where('account_id', '=', world.accountId)
    .where('external_id', '=', externalId)
    .executeTakeFirst();
  return found?.status;
}

describe('an open dispute', () => {
  test('stops release, and so does its end not: won, the next release moves the commission on', async () => {
    const { world } = await sold(db);
    expect(await disputes(world, {})).toEqual({ recorded: 1 });
    expect((await release(world)).counts.released).toBe(0);
    expect(await disputes(world, { state: 'won' })).toEqual({ recorded: 1 });
    expect((await release(world)).counts.released).toBe(1);
  });

  test('stops approval', async () => {
    const { world, id } = await sold(db, { status: 'pending_manual_approval' });
    await disputes(world, {});
    const approve = () =>
      db.transaction((session) => approveCommissions(session, world.mover, { commissionIds: [id] }));
    expect(await approve()).toEqual([]);
    await disputes(world, { state: 'won' });
    expect(await approve()).toMatchObject([{ lines: 1 }]);
  });

  test('stops payment of a commission that is ready, and of what was taken back of it', async () => {
    const { world } = await sold(db, ready());
    await refund(world, {});
    await disputes(world, {});
    expect(await claimNow(world)).toEqual({ batches: [], carried: [], leftOut: [], waiting: [] });
    await disputes(world, { state: 'won' });
    expect((await claimNow(world)).batches).toMatchObject([{ amount: 1_500n, lines: 2 }]);
  });

  test('takes the commission out of a draft payout', async () => {
    const { world, affiliateId } = await sold(db, ready());
    await world.sale(affiliateId, ready({ amount: 300n }));
    await payOut(world, 'draft');
    await disputes(world, {});
    expect(await payoutsOf(world)).toMatchObject([{ amount: 300n, lines: 1, status: 'draft' }]);
    expect(await disputes(world, {})).toEqual({ duplicates: 1 });
  });

  test.each(['approved', 'exported', 'paid'] as const)(
    'lets a payout that is %s stand, and does not keep back a debt that comes of it',
    async (stage) => {
      const { world, affiliateId } = await sold(db, ready());
      await payOut(world, stage);
      await refund(world, {});
      await disputes(world, {});
      await world.sale(affiliateId, ready({ amount: 900n }));
      expect((await claimNow(world, march)).batches).toMatchObject([{ amount: 400n, lines: 2 }]);
    },
  );
});

describe('a lost dispute', () => {
  test('is a refund of what was disputed', async () => {
    const { world } = await sold(db, ready());
    await disputes(world, {}, { state: 'lost', amount: 4_000n });
    expect(await lines(world)).toEqual(['2000 ready_for_payment', '-800 ready_for_payment']);
    expect((await claimNow(world)).batches).toMatchObject([{ amount: 1_200n, lines: 2 }]);
  });

  test('takes no more than earlier refunds have left of the sale', async () => {
    const { world } = await sold(db);
    await refund(world, {});
    expect(await disputes(world, { state: 'lost' })).toEqual({ recorded: 1 });
    expect(await lines(world)).toEqual(['2000 declined', '-500 declined', '-1500 declined']);
  });

  test('is not counted by a running total of refunds that comes later', async () => {
    const { world } = await sold(db);
    await disputes(world, { state: 'lost', amount: 4_000n });
    expect(
      await refund(world, { isTotal: true, amount: 1_000n, occurredAt: '2026-02-28T00:00:00Z' }),
    ).toEqual({
      recorded: 1,
    });
    expect(await lines(world)).toEqual(['2000 pending', '-200 pending', '-800 pending']);
  });
});

test('another end, another sale and another currency are seen; an unknown sale is waited for', async () => {
  const { world, affiliateId } = await sold(db);
  await world.sale(affiliateId, {}, { external_id: 'T' });
  await disputes(world, {}, { state: 'won' });
  expect(
    await disputes(
      world,
      { state: 'lost', occurredAt: '2026-02-21T12:00:00Z' },
      { saleExternalId: 'T' },
      { externalId: 'E', currency: 'EUR' },
      { externalId: 'F', saleExternalId: 'later', state: 'lost', amount: 1_000n },
      { externalId: 'F', saleExternalId: 'later' },
    ),
  ).toEqual({ conflicts: 2, rejected: 1, parked: 2 });
  await world.sale(affiliateId, {}, { external_id: 'later' });
  expect(await disputes(world)).toEqual({});
  expect(await statusOf(world, 'F')).toBe('lost');
  expect(await lines(world)).toEqual(['2000 pending', '2000 pending', '2000 pending', '-200 pending']);
});

test('a waiting one that names the wrong currency is replaced by a row that corrects it', async () => {
  const { world, affiliateId } = await sold(db);
  const lost = { saleExternalId: 'T', state: 'lost' as const, amount: 1_000n };
  expect(await disputes(world, { ...lost, currency: 'EUR' })).toEqual({ parked: 1 });
  await world.sale(affiliateId, {}, { external_id: 'T' });
  expect(await disputes(world)).toEqual({});
  expect(await disputes(world, lost)).toEqual({ recorded: 1 });
  expect(await lines(world)).toEqual(['2000 pending', '2000 pending', '-200 pending']);
});

test('whatever order a dispute is told in, however often, and in however many files, it ends the same', async () => {
  const telling = fc.record({
    end: fc.constantFrom(undefined, 'won' as const, 'lost' as const),
    order: fc.infiniteStream(fc.nat()),
    copies: fc.array(fc.nat(3), { minLength: 2, maxLength: 2 }),
    files: fc.integer({ min: 1, max: 3 }),
  });
  await holds(
    fc.asyncProperty(telling, async ({ end, order, copies, files }) => {
      const { world } = await sold(db);
      const words = (['opened', ...(end ? [end] : [])] as const).flatMap((state, index) =>
        Array.from({ length: 1 + copies[index]! }, () => ({
          key: order.next().value!,
          state,
          occurredAt: `2026-02-2${index}T12:00:00Z`,
        })),
      );
      words.sort((a, b) => a.key - b.key);
      const told = words.map(({ key: _, ...word }) => word);
      const size = Math.ceil(told.length / files);
      let recorded = 0;
      for (let at = 0; at < told.length; at += size)
        recorded += (await disputes(world, ...told.slice(at, at + size))).recorded ?? 0;
      expect(recorded).toBe(end ? 2 : 1);
      expect(await statusOf(world)).toBe(end ?? 'open');
      expect(await lines(world)).toEqual(
        end === 'lost' ? ['2000 declined', '-2000 declined'] : ['2000 pending'],
      );
    }),
    20,
  );
});
