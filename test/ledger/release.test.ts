import { describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import type { AffiliateStatus, SalesStatus } from '../../src/db/tables.ts';
import { declineBanned } from '../../src/ledger/decline.ts';
import { type Released, releaseHolds } from '../../src/ledger/release.ts';
import { balance, booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';

const { db, url } = await testDatabase();
const asOf = new Date('2026-03-01T00:00:00Z');

async function release(world: World, moment = asOf): Promise<Released> {
  return db.transaction((session) => releaseHolds(session, world.mover, { asOf: moment }));
}

/** Where each sale's commission is, by the sale's external id. */
async function states(world: World): Promise<Record<string, string | null>> {
  const rows = [...(await booked(world)).values()];
  return Object.fromEntries(rows.map((row) => [row.external_id, row.commission_status]));
}

describe('a hold', () => {
  test('has ended at its very moment, and not a millisecond before', async () => {
    const world = await World.create(db);
    const { id } = await world.affiliate();
    const moments = { past: -86_400_000, before: -1, now: 0, after: 1, future: 86_400_000 };
    for (const [external_id, step] of Object.entries(moments))
      await world.sale(id, { hold_until: new Date(asOf.getTime() + step) }, { external_id });
    expect(await release(world)).toEqual({
      counts: { released: 3, awaiting_approval: 0 },
      totals: { USD: { released: '60.00', awaiting_approval: '0.00' } },
    });
    expect(await states(world)).toEqual({
      past: 'ready_for_payment',
      before: 'ready_for_payment',
      now: 'ready_for_payment',
      after: 'pending',
      future: 'pending',
    });
    expect(await balance(world)).toBe('balanced');
  });

  test.each([
    ['complete', 'ready_for_payment'],
    ['partial_refunded', 'ready_for_payment'],
    ['open', 'pending'],
    ['trialing', 'pending'],
    ['failed', 'pending'],
    ['refunded', 'pending'],
  ] as [SalesStatus, string][])('that ended under a sale that is %s: %s', async (sales_status, after) => {
    const world = await World.create(db);
    const { id } = await world.affiliate();
    await world.sale(id, {}, { external_id: 's', sales_status });
    await release(world);
    expect(await states(world)).toEqual({ s: after });
  });

  test.each([
    ['active', 'ready_for_payment'],
    ['pending', 'ready_for_payment'],
    ['paused', 'ready_for_payment'],
    ['banned', 'pending'],
  ] as [AffiliateStatus, string][])('that ended for an affiliate who is %s: %s', async (status, after) => {
    const world = await World.create(db);
    const { id } = await world.affiliate({ status });
    await world.sale(id, {}, { external_id: 's' });
    await release(world);
    expect(await states(world)).toEqual({ s: after });
  });

  test('waits for approval where the programme wants it, and only there', async () => {
    const world = await World.create(db, { commission_approval: 'manual' });
    const automatic = await world.program();
    const { id } = await world.affiliate();
    await world.sale(id, {}, { external_id: 'approve' });
    await world.sale(id, { program_id: automatic }, { external_id: 'ready', program_id: automatic });
    expect(await release(world)).toEqual({
      counts: { released: 1, awaiting_approval: 1 },
      totals: { USD: { released: '20.00', awaiting_approval: '20.00' } },
    });
    expect(await states(world)).toEqual({ approve: 'pending_manual_approval', ready: 'ready_for_payment' });
    expect(await balance(world)).toBe('balanced');
  });

  test('touches nothing that is further on, nor another account', async () => {
    const [world, other] = [await World.create(db), await World.create(db)];
    const { id } = await world.affiliate();
    for (const status of ['pending_manual_approval', 'ready_for_payment', 'paid', 'declined'] as const)
      await world.sale(id, { status }, { external_id: status });
    await other.sale((await other.affiliate()).id, {}, { external_id: 'theirs' });
    expect(await release(world)).toEqual({ counts: { released: 0, awaiting_approval: 0 }, totals: {} });
    expect(Object.entries(await states(world)).every(([before, after]) => before === after)).toBe(true);
    expect(await states(other)).toEqual({ theirs: 'pending' });
  });

  test('is told per currency, and by which run and when the commission moved', async () => {
    const world = await World.create(db);
    const { id } = await world.affiliate();
    for (const [amount, currency] of [
      [1_050n, 'USD'],
      [-50n, 'USD'],
      [1_500n, 'JPY'],
      [0n, 'KWD'],
    ] as const)
      await world.sale(id, { amount, currency });
    world.runId = await world.run('release-holds');
    expect(await release(world)).toEqual({
      counts: { released: 4, awaiting_approval: 0 },
      totals: {
        JPY: { released: '1500', awaiting_approval: '0' },
        KWD: { released: '0.000', awaiting_approval: '0.000' },
        USD: { released: '10.00', awaiting_approval: '0.00' },
      },
    });
    const moved = await db.sql
      .selectFrom('commission')
      .select(['status_run_id', 'status_at'])
      .where('account_id', '=', world.accountId)
      .execute();
    expect(moved).toEqual(Array(4).fill({ status_run_id: world.runId, status_at: world.mover.now }));
    expect(await balance(world)).toBe('balanced');
  });
});

describe('releasing twice', () => {
  test('moves nothing the second time', async () => {
    const world = await World.create(db);
    await world.sale((await world.affiliate()).id);
    expect((await release(world)).counts.released).toBe(1);
    expect(await release(world)).toEqual({ counts: { released: 0, awaiting_approval: 0 }, totals: {} });
    expect(await balance(world)).toBe('balanced');
  });

  test('at once, from two connections, moves each commission once', async () => {
    const world = await World.create(db);
    const { id } = await world.affiliate();
    for (let n = 0; n < 20; n += 1) await world.sale(id);
    const others = [await connect(url), await connect(url)];
    const released = await Promise.all(
      others.map((other) => other.transaction((session) => releaseHolds(session, world.mover, { asOf }))),
    );
    expect(released.reduce((sum, { counts }) => sum + counts.released, 0)).toBe(20);
    expect(await balance(world)).toBe('balanced');
    for (const other of others) await other.close();
  });

  test('after the first was killed half way gives the same end', async () => {
    const world = await World.create(db);
    await world.sale((await world.affiliate()).id);
    const killed = db.transaction(async (session) => {
      await releaseHolds(session, world.mover, { asOf });
      throw new Error('killed');
    });
    await expect(killed).rejects.toThrow('killed');
    expect((await release(world)).counts.released).toBe(1);
    expect(await balance(world)).toBe('balanced');
  });
});

test('when an affiliate is banned, what is pending or awaits approval declines; what is ready stays, unpaid', async () => {
  const world = await World.create(db);
  const [banned, active] = [await world.affiliate({ status: 'banned' }), await world.affiliate()];
  for (const status of [
    'pending',
    'pending_manual_approval',
    'ready_for_payment',
    'paid',
    'declined',
  ] as const)
    await world.sale(banned.id, { status }, { external_id: status });
  await world.sale(active.id, {}, { external_id: 'someone else' });
  const decline = () => db.transaction((session) => declineBanned(session, world.mover));
  expect([await decline(), await decline()]).toEqual([2, 0]);
  expect(await states(world)).toEqual({
    pending: 'declined',
    pending_manual_approval: 'declined',
    ready_for_payment: 'ready_for_payment',
    paid: 'paid',
    declined: 'declined',
    'someone else': 'pending',
  });
  const books = await booked(world);
  expect(books.get('pending')?.reason).toBe('the affiliate is banned');
  expect(await balance(world)).toBe('balanced');
});
