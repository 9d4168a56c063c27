import { describe, expect, test } from 'vitest';
import type { AffiliateRow } from '../../src/db/tables.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import {
  batchesOf,
  claimNow,
  commissionsOf,
  february,
  leftOutOf,
  march,
  payoutsOf,
  ready,
} from './claiming.ts';

const { db } = await testDatabase();

describe('what is claimed', () => {
  test('everything ready of an affiliate becomes one payout, which is the sum of its lines', async () => {
    const world = await World.create(db);
    const ann = await world.affiliate({ name: 'Ann', payout_destination: 'ann@example.com' });
    for (const amount of [1_000n, 2_550n, -300n]) await world.sale(ann.id, ready({ amount }));
    const claimed = await claimNow(world);
    const [payout, ...others] = await payoutsOf(world);
    expect(others).toEqual([]);
    expect(payout).toMatchObject({
      affiliate_id: ann.id,
      amount: 3_250n,
      lines: 3,
      currency: 'USD',
      method: 'paypal',
      destination: 'ann@example.com',
      payee_name: 'Ann',
      batch_id: claimed.batches[0]!.batchId,
    });
    expect(payout!.reference).toMatch(/^[0-9A-HJKMNP-TV-Z]{12}$/);
    expect(claimed.batches).toMatchObject([
      { currency: 'USD', method: 'paypal', affiliates: 1, lines: 3, amount: 3_250n },
    ]);
    for (const commission of await commissionsOf(world))
      expect(commission).toMatchObject({ payout_id: payout!.id, status: 'ready_for_payment' });
  });

  test('what fell due before the period’s end, whatever period it comes from, and nothing later', async () => {
    const world = await World.create(db);
    const ann = await world.affiliate();
    await world.sale(ann.id, ready({ amount: 1n, hold_until: new Date('2024-05-05T00:00:00Z') }));
    await world.sale(ann.id, ready({ amount: 10n, hold_until: new Date(february.periodEnd.getTime() - 1) }));
    await world.sale(ann.id, ready({ amount: 100n, hold_until: february.periodEnd }));
    await claimNow(world);
    expect((await payoutsOf(world)).map((payout) => payout.amount)).toEqual([11n]);
    await claimNow(world, march);
    expect((await payoutsOf(world)).map((payout) => payout.amount)).toEqual([11n, 100n]);
  });

  test('nothing that is pending, awaits approval, is declined or paid, or of another programme', async () => {
    const world = await World.create(db);
    const ann = await world.affiliate();
    const other = await world.program();
    for (const status of ['pending', 'pending_manual_approval', 'declined', 'paid'] as const)
      await world.sale(ann.id, { status });
    await world.sale(ann.id, ready(), { program_id: other });
    expect(await claimNow(world)).toEqual({ batches: [], leftOut: [], waiting: [], carried: [] });
    expect((await claimNow(world, {}, other)).batches).toMatchObject([{ amount: 2_000n }]);
  });

  test('currencies and methods go into batches of their own', async () => {
    const world = await World.create(db);
    const ann = await world.affiliate();
    const bob = await world.affiliate({ payout_method: 'wise' });
    await world.sale(ann.id, ready({ amount: 5n }));
    await world.sale(ann.id, ready({ amount: 700n, currency: 'JPY' }), { currency: 'JPY' });
    await world.sale(bob.id, ready({ amount: 9n }));
    expect((await claimNow(world)).batches).toMatchObject([
      { currency: 'JPY', method: 'paypal', amount: 700n },
      { currency: 'USD', method: 'paypal', amount: 5n },
      { currency: 'USD', method: 'wise', amount: 9n },
    ]);
  });

  test('another account’s commissions stay where they are', async () => {
    const world = await World.create(db);
    const neighbour = await World.create(db);
    await neighbour.sale((await neighbour.affiliate()).id, ready());
    await world.sale((await world.affiliate()).id, ready());
    await claimNow(world);
    expect(await payoutsOf(neighbour)).toEqual([]);
    expect(await payoutsOf(world)).toHaveLength(1);
  });
});

describe('who is left out, and why', () => {
  const cases: [string, Partial<AffiliateRow>, bigint][] = [
    ['not_positive', {}, 0n],
    ['not_positive', { status: 'banned' }, -5n],
    ['banned', { status: 'banned' }, 2_000n],
    ['paused', { status: 'paused' }, 2_000n],
    ['pending', { status: 'pending' }, 2_000n],
    ['no_destination', { payout_method: null }, 2_000n],
    ['no_destination', { payout_destination: null }, 2_000n],
    ['no_destination', { payout_destination: '' }, 2_000n],
    ['under_minimum', {}, 1_999n],
  ];
  test.each(cases)('%s: %o with %i', async (reason, affiliate, amount) => {
    const world = await World.create(db, { minimum_payout: 2_000n });
    const row = await world.affiliate(affiliate);
    await world.sale(row.id, ready({ amount }));
    const claimed = await claimNow(world);
    expect(claimed).toEqual({
      batches: [],
      leftOut: [{ currency: 'USD', reason, affiliates: 1, lines: 1, amount }],
      waiting: [],
      carried: [],
    });
    expect(await leftOutOf(world)).toMatchObject([{ affiliate_id: row.id, amount, lines: 1, reason }]);
    expect((await commissionsOf(world))[0]).toMatchObject({ payout_id: null, status: 'ready_for_payment' });
  });

  test('exactly the minimum is paid; under it is carried and paid when it has grown', async () => {
    const world = await World.create(db, { minimum_payout: 2_000n });
    const exact = await world.affiliate();
    const small = await world.affiliate();
    await world.sale(exact.id, ready({ amount: 2_000n }));
    await world.sale(small.id, ready({ amount: 1_500n }));
    await claimNow(world);
    await world.sale(small.id, ready({ amount: 600n, hold_until: new Date('2026-03-10T00:00:00Z') }));
    await claimNow(world, march);
    expect(
      (await payoutsOf(world)).map((payout) => [payout.affiliate_id, payout.amount, payout.lines]),
    ).toEqual([
      [exact.id, 2_000n, 1],
      [small.id, 2_100n, 2],
    ]);
  });

  test('the minimum counts in the programme’s own currency only', async () => {
    const world = await World.create(db, { minimum_payout: 5_000n });
    const ann = await world.affiliate();
    await world.sale(ann.id, ready({ amount: 300n, currency: 'JPY' }), { currency: 'JPY' });
    expect((await claimNow(world)).batches).toMatchObject([{ currency: 'JPY', amount: 300n }]);
  });
});

describe('one live batch for a programme, period, currency and method', () => {
  test('what becomes ready after the batch was made waits for the next period', async () => {
    const world = await World.create(db);
    const ann = await world.affiliate();
    await world.sale(ann.id, ready({ amount: 5n }));
    await claimNow(world);
    await world.sale(ann.id, ready({ amount: 7n }));
    expect(await claimNow(world)).toEqual({
      batches: [],
      leftOut: [],
      waiting: [{ currency: 'USD', method: 'paypal', affiliates: 1, lines: 1, amount: 7n }],
      carried: [],
    });
    expect((await claimNow(world, march)).batches).toMatchObject([{ amount: 7n }]);
  });

  test('with nobody to pay there is no batch, and the period stays open', async () => {
    const world = await World.create(db, { minimum_payout: 100n });
    const ann = await world.affiliate();
    await world.sale(ann.id, ready({ amount: 99n }));
    await claimNow(world);
    expect(await batchesOf(world)).toEqual([]);
    await world.sale(ann.id, ready({ amount: 1n }));
    expect((await claimNow(world)).batches).toMatchObject([{ amount: 100n, lines: 2 }]);
  });

  test('approval: automatic batches are born approved, others are drafts', async () => {
    for (const [payout_approval, status] of [
      ['automatic', 'approved'],
      ['manual', 'draft'],
      ['two_persons', 'draft'],
    ] as const) {
      const world = await World.create(db, { payout_approval });
      await world.sale((await world.affiliate()).id, ready());
      await claimNow(world);
      const by = status === 'approved' ? 'automatic' : null;
      expect(await batchesOf(world)).toMatchObject([{ status, approved_by: by, prepared_by: 'fin' }]);
      expect(await payoutsOf(world)).toMatchObject([{ status }]);
    }
  });
});
