import { describe, expect, test } from 'vitest';
import { releaseHolds } from '../../src/ledger/release.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { World } from '../support/world.ts';
import { batchesOf, claimNow, commissionsOf, march, payoutsOf, ready } from './claiming.ts';
import { lines, payOut, prove, type Refund, refund, sold } from './refunding.ts';

const { db } = await testDatabase();

const whole: Refund = { amount: 10_000n };

async function saleStatus(world: World): Promise<string> {
  const sale = await db.sql
    .selectFrom('conversion')
    .select('sales_status')
    .where('account_id', '=', world.accountId)
    .where('external_id', '=', 'S')
    .executeTakeFirstOrThrow();
  return sale.sales_status;
}

const release = (world: World, asOf = new Date('2026-03-02T03:00:00Z')) =>
  db.transaction((session) => releaseHolds(session, world.mover, { asOf }));

describe('a refund in part', () => {
  test.each(['pending', 'pending_manual_approval', 'ready_for_payment', 'declined'] as const)(
    'of a commission that is %s takes its status and its hold, so that both move together',
    async (status) => {
      const { world, id } = await sold(db, { status });
      expect(await refund(world, {})).toEqual({ recorded: 1 });
      expect(await saleStatus(world)).toBe('partial_refunded');
      const all = await commissionsOf(world);
      const original = all.find((one) => one.reverses === null);
      const reversal = all.find((one) => one.reverses !== null);
      expect(reversal).toMatchObject({ amount: -500n, status, reverses: id, payout_id: null });
      expect(reversal!.hold_until).toEqual(original!.hold_until);
    },
  );

  test('is released with its commission, and both are paid as one sum', async () => {
    const { world } = await sold(db);
    await refund(world, {});
    expect(await release(world)).toEqual({
      counts: { released: 2, awaiting_approval: 0 },
      totals: { USD: { released: '15.00', awaiting_approval: '0.00' } },
    });
    await payOut(world, 'paid');
    expect(await payoutsOf(world)).toMatchObject([{ amount: 1_500n, lines: 2, status: 'paid' }]);
  });

  test('of a commission in a draft payout takes both out of it, and the payout is summed again', async () => {
    const { world, affiliateId } = await sold(db, ready());
    await world.sale(affiliateId, ready({ amount: 300n }));
    await payOut(world, 'draft');
    await refund(world, {});
    expect(await payoutsOf(world)).toMatchObject([{ amount: 300n, lines: 1, status: 'draft' }]);
    expect(await lines(world)).toEqual([
      '2000 ready_for_payment',
      '300 ready_for_payment in draft',
      '-500 ready_for_payment',
    ]);
  });

  test('of the only commission in a draft payout cancels the payout, and its batch, so that the period can be prepared again', async () => {
    const { world } = await sold(db, ready());
    await payOut(world, 'draft');
    await refund(world, {});
    expect(await payoutsOf(world)).toMatchObject([
      { amount: 2_000n, status: 'canceled', reason: 'refunds left nothing to pay' },
    ]);
    expect(await batchesOf(world)).toMatchObject([{ status: 'canceled' }]);
    expect((await claimNow(world)).batches).toMatchObject([{ amount: 1_500n, lines: 2 }]);
  });

  test('leaves a draft in which nothing positive remains, with all that was in it', async () => {
    const { world, affiliateId } = await sold(db, ready());
    await world.sale(affiliateId, ready({ amount: -300n }));
    await payOut(world, 'draft');
    await refund(world, {});
    expect(await payoutsOf(world)).toMatchObject([{ amount: 1_700n, status: 'canceled' }]);
    expect((await lines(world)).some((line) => line.includes(' in '))).toBe(false);
  });

  test.each(['approved', 'exported', 'paid'] as const)(
    'of a commission in a payout that is %s lets the payout stand, and nets in the next',
    async (stage) => {
      const { world, affiliateId } = await sold(db, ready());
      await payOut(world, stage);
      expect(await refund(world, { occurredAt: '2026-03-01T08:00:00Z' })).toEqual({ recorded: 1 });
      expect(await payoutsOf(world)).toMatchObject([{ amount: 2_000n, lines: 1, status: stage }]);
      const reversal = (await commissionsOf(world)).find((one) => one.reverses !== null)!;
      expect(reversal).toMatchObject({ amount: -500n, status: 'ready_for_payment', payout_id: null });
      expect(reversal.hold_until).toEqual(new Date('2026-03-01T08:00:00Z'));
      await world.sale(affiliateId, ready({ amount: 900n, hold_until: new Date('2026-03-10T00:00:00Z') }));
      expect((await claimNow(world, march)).batches).toMatchObject([{ amount: 400n, lines: 2 }]);
    },
  );
});

describe('a refund in full', () => {
  test.each(['pending', 'pending_manual_approval', 'ready_for_payment'] as const)(
    'declines a commission that is %s, and what was taken back of it before: together they are zero',
    async (status) => {
      const { world } = await sold(db, { status });
      await refund(world, { externalId: 'r-1' });
      await refund(world, { externalId: 'r-2', amount: 7_500n });
      expect(await lines(world)).toEqual(['2000 declined', '-500 declined', '-1500 declined']);
      expect(await saleStatus(world)).toBe('refunded');
      const reasons = (await commissionsOf(world)).map((one) => one.reason);
      expect(new Set(reasons)).toEqual(new Set(['the sale was refunded in full']));
      expect((await release(world)).counts).toEqual({ released: 0, awaiting_approval: 0 });
    },
  );

  test('takes the commission out of a draft payout and declines it', async () => {
    const { world, affiliateId } = await sold(db, ready());
    await world.sale(affiliateId, ready({ amount: 300n }));
    await payOut(world, 'draft');
    await refund(world, whole);
    expect(await payoutsOf(world)).toMatchObject([{ amount: 300n, status: 'draft' }]);
    expect(await lines(world)).toEqual(['2000 declined', '300 ready_for_payment in draft', '-2000 declined']);
  });

  test.each(['approved', 'exported', 'paid'] as const)(
    'after its payout was %s: what was paid is carried as a debt',
    async (stage) => {
      const { world } = await sold(db, ready());
      await payOut(world, stage);
      await refund(world, whole);
      const { status } = (await payoutsOf(world))[0]!;
      expect(status).toBe(stage);
      expect(await lines(world)).toEqual([
        `2000 ${stage === 'paid' ? 'paid' : 'ready_for_payment'} in ${stage}`,
        '-2000 ready_for_payment',
      ]);
      expect((await claimNow(world, march)).leftOut).toMatchObject([
        { reason: 'not_positive', amount: -2_000n },
      ]);
    },
  );

  test('of a commission whose approved payout is canceled afterwards: nothing of it is paid any more', async () => {
    const { world } = await sold(db, ready());
    await payOut(world, 'approved');
    await refund(world, { occurredAt: '2026-03-01T08:00:00Z' }, { ...whole, amount: 7_500n });
    const [batch] = await batchesOf(world);
    await db.transaction(async (session) => {
      await unclaim(session, world.mover, { batchId: batch!.id, reason: 'wrong' });
      await prove(session, world);
    });
    expect(await lines(world)).toEqual(['2000 declined', '-500 declined', '-1500 declined']);
  });

  test('in several parts of amounts that do not divide reaches exactly zero', async () => {
    const { world } = await sold(db, { amount: 1_001n, rounding: 'half_even' });
    const parts = Array.from({ length: 7 }, (_, index) => ({ externalId: `r-${index}`, amount: 1_428n }));
    await refund(world, ...parts);
    await refund(world, { externalId: 'last', amount: 4n });
    expect((await commissionsOf(world)).reduce((sum, one) => sum + one.amount, 0n)).toBe(0n);
    expect((await lines(world)).every((line) => line.endsWith('declined'))).toBe(true);
  });

  test('of a commission that had rounded to zero declines it without a line', async () => {
    const { world } = await sold(db, { amount: 0n });
    await refund(world, whole);
    expect(await lines(world)).toEqual(['0 declined']);
  });
});

test('a payout that is canceled gives back a commission in part refunded meanwhile: both fall due together again', async () => {
  const { world } = await sold(db, ready());
  await payOut(world, 'approved');
  await refund(world, { occurredAt: '2026-03-01T08:00:00Z' });
  const [batch] = await batchesOf(world);
  await db.transaction((session) => unclaim(session, world.mover, { batchId: batch!.id, reason: 'wrong' }));
  expect((await claimNow(world)).batches).toMatchObject([{ amount: 1_500n, lines: 2 }]);
});

test.each([
  ['half_up' as const, -3n],
  ['half_even' as const, -2n],
])('half a unit is rounded as the commission was (%s)', async (rounding, amount) => {
  const { world } = await sold(db, { amount: 10n, rounding });
  await refund(world, {});
  expect((await commissionsOf(world)).find((one) => one.reverses)?.amount).toBe(amount);
});

test('a reversal that rounds to zero makes no line, and leaves the draft alone', async () => {
  const { world } = await sold(db, ready({ amount: 1n }));
  await payOut(world, 'draft');
  expect(await refund(world, {})).toEqual({ recorded: 1 });
  expect(await lines(world)).toEqual(['1 ready_for_payment in draft']);
  expect(await saleStatus(world)).toBe('partial_refunded');
});

test('a sale that earned nothing moves along, without a line', async () => {
  const { world, id } = await sold(db);
  await db.sql.deleteFrom('commission').where('id', '=', id).execute();
  await db.sql.deleteFrom('posting').where('account_id', '=', world.accountId).execute();
  await db.sql.updateTable('conversion').set({ no_commission_reason: 'none' }).where('id', '=', id).execute();
  expect(await refund(world, whole)).toEqual({ recorded: 1 });
  expect(await commissionsOf(world)).toEqual([]);
  expect(await saleStatus(world)).toBe('refunded');
});

describe('which refunds count', () => {
  const total = (amount: bigint, values: Refund = {}): Refund => ({
    externalId: `S#refunded:${amount}`,
    amount,
    isTotal: true,
    occurredAtGiven: false,
    ...values,
  });

  test('the same again is a duplicate, also in one file; other facts are a conflict, which is kept once', async () => {
    const { world } = await sold(db);
    expect(await refund(world, {}, { externalId: 'r-1' })).toEqual({ recorded: 1, duplicates: 1 });
    const before = await commissionsOf(world);
    expect(await refund(world, {})).toEqual({ duplicates: 1 });
    expect(await refund(world, { amount: 2_600n })).toEqual({ conflicts: 1 });
    expect(await refund(world, { amount: 2_600n })).toEqual({ conflicts: 1 });
    expect(await commissionsOf(world)).toEqual(before);
    const conflicts = await db.sql
      .selectFrom('conflict')
      .selectAll()
      .where('account_id', '=', world.accountId)
      .execute();
    expect(conflicts).toMatchObject([
      { about: 'refund', external_id: 'r-1', difference: { amount: { ours: '2500', theirs: '2600' } } },
    ]);
  });

  test('more than the sale is rejected, alone and together; what still fits counts', async () => {
    const { world } = await sold(db);
    expect(
      await refund(
        world,
        { externalId: 'a', amount: 6_000n },
        { externalId: 'b', amount: 5_000n },
        { externalId: 'c', amount: 4_000n },
        { externalId: 'd', amount: 1n },
      ),
    ).toEqual({ recorded: 2, rejected: 2 });
    expect(await saleStatus(world)).toBe('refunded');
  });

  test('those of one sale count in order of their moments, then their ids, whatever order they stand in', async () => {
    const { world } = await sold(db);
    const day = (hour: number) => `2026-02-20T${hour}:00:00Z`;
    await refund(
      world,
      { externalId: 'b', amount: 6_000n, occurredAt: day(13) },
      { externalId: 'c', amount: 6_000n, occurredAt: day(12) },
      { externalId: 'a', amount: 6_000n, occurredAt: day(13) },
    );
    const refunds = await db.sql
      .selectFrom('refund')
      .select('external_id')
      .where('account_id', '=', world.accountId)
      .execute();
    expect(refunds).toEqual([{ external_id: 'c' }]);
  });

  test('a total counts by what it adds, the same total once, a lower one as a conflict', async () => {
    const { world } = await sold(db);
    expect(await refund(world, total(2_500n))).toEqual({ recorded: 1 });
    expect(await refund(world, total(4_000n))).toEqual({ recorded: 1 });
    expect(await refund(world, total(4_000n))).toEqual({ duplicates: 1 });
    expect(await refund(world, total(2_500n))).toEqual({ conflicts: 1 });
    expect(await refund(world, total(3_000n))).toEqual({ conflicts: 1 });
    expect(await lines(world)).toEqual(['2000 pending', '-300 pending', '-500 pending']);
    expect(await refund(world, total(10_001n))).toEqual({ rejected: 1 });
  });

  test('a total that is older than what is recorded says nothing new', async () => {
    const { world } = await sold(db);
    await refund(world, total(5_000n, { occurredAtGiven: true }));
    const older = { occurredAtGiven: true, occurredAt: '2026-02-19T00:00:00Z' };
    expect(await refund(world, total(3_000n, older))).toEqual({ duplicates: 1 });
  });

  test('another currency, and the id of a sale, are rejected', async () => {
    const { world } = await sold(db);
    expect(await refund(world, { currency: 'EUR' }, { externalId: 'S' })).toEqual({ rejected: 2 });
    expect(await lines(world)).toEqual(['2000 pending']);
  });

  test('one whose sale is unknown waits for it, and is then recorded with the next refunds', async () => {
    const { world, affiliateId } = await sold(db);
    const later: Refund = { externalId: 'early', saleExternalId: 'T', amount: 5_000n };
    expect(await refund(world, later)).toEqual({ parked: 1 });
    expect(await refund(world, later)).toEqual({ duplicates: 1 });
    await world.sale(affiliateId, {}, { external_id: 'T' });
    expect(await refund(world)).toEqual({});
    expect(await lines(world)).toEqual(['2000 pending', '2000 pending', '-1000 pending']);
    expect(await refund(world, later)).toEqual({ duplicates: 1 });
    expect((await audited(world)).filter((message) => !message.includes('import'))).toEqual([]);
  });

  test('a waiting one is replaced by a row that corrects it, before its sale comes and after', async () => {
    const { world, affiliateId } = await sold(db);
    const early: Refund = { externalId: 'early', saleExternalId: 'T', amount: 50_000n };
    await refund(world, early);
    expect(await refund(world, { ...early, amount: 40_000n })).toEqual({ parked: 1 });
    await world.sale(affiliateId, {}, { external_id: 'T' });
    expect(await refund(world, { ...early, amount: 40_000n })).toEqual({ rejected: 1 });
    expect(await refund(world, { ...early, amount: 5_000n })).toEqual({ recorded: 1 });
    expect(await refund(world, { ...early, amount: 5_000n })).toEqual({ duplicates: 1 });
  });

  test('a waiting one that turns out to be too much waits on, with the reason', async () => {
    const { world, affiliateId } = await sold(db);
    await refund(world, { externalId: 'early', saleExternalId: 'T', amount: 50_000n });
    await world.sale(affiliateId, {}, { external_id: 'T' });
    await refund(world);
    const parked = await db.sql
      .selectFrom('parked_refund')
      .select(['external_id', 'code'])
      .where('account_id', '=', world.accountId)
      .execute();
    expect(parked).toEqual([{ external_id: 'early', code: 'refund-exceeds' }]);
  });
});
