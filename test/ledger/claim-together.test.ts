import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import type { ProgramRow } from '../../src/db/tables.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { World } from '../support/world.ts';
import {
  batchesOf,
  claimAndAudit,
  claimNow,
  commissionsOf,
  leftOutOf,
  march,
  payoutsOf,
  planFor,
  ready,
} from './claiming.ts';

const { db } = await testDatabase();

describe('at the same moment', () => {
  test('two prepares end like one', async () => {
    const world = await World.create(db);
    for (let i = 0; i < 20; i += 1) {
      const affiliate = await world.affiliate(i % 3 === 0 ? { payout_method: 'wise' } : {});
      for (let j = 0; j <= i; j += 1) await world.sale(affiliate.id, ready({ amount: BigInt(i + j + 1) }));
    }
    const both = await Promise.all([claimNow(world), claimNow(world)]);
    expect(both.map((one) => one.batches.length).sort()).toEqual([0, 2]);
    expect(await batchesOf(world)).toHaveLength(2);
    expect(await payoutsOf(world)).toHaveLength(20);
    expect((await commissionsOf(world)).every((commission) => commission.payout_id !== null)).toBe(true);
  });

  test('prepares of two periods share the commissions out, and neither payout counts one that went elsewhere', async () => {
    const world = await World.create(db);
    const ann = await world.affiliate();
    for (const amount of [1n, 20n, 300n]) await world.sale(ann.id, ready({ amount }));
    const plan = await planFor(world, march);
    const late = await db.transaction(async (session) => {
      const claimed = await claimAndAudit(session, world, world.mover, plan);
      const other = claimNow(world);
      await waitsForLock(db, other);
      return { claimed, other };
    });
    expect(late.claimed.batches).toMatchObject([{ amount: 321n, lines: 3 }]);
    expect(await late.other).toEqual({ batches: [], leftOut: [], waiting: [], carried: [] });
    expect(await batchesOf(world)).toHaveLength(1);
  });

  test('a commission that leaves while it is being claimed leaves the sum as well', async () => {
    const world = await World.create(db);
    const ann = await world.affiliate();
    const gone = await world.sale(ann.id, ready({ amount: 5_000n }));
    await world.sale(ann.id, ready({ amount: 70n }));
    const claiming = await db.transaction(async (session) => {
      await decline(session, world, gone);
      const other = claimNow(world);
      await waitsForLock(db, other);
      return { other };
    });
    expect((await claiming.other).batches).toMatchObject([{ amount: 70n, lines: 1 }]);
    expect(await payoutsOf(world)).toMatchObject([{ amount: 70n, lines: 1 }]);
  });
});

test('the same run again, its first commit having gone unnoticed, finds everything done', async () => {
  const world = await World.create(db, { minimum_payout: 1_000n });
  await world.sale((await world.affiliate()).id, ready());
  await world.sale((await world.affiliate()).id, ready({ amount: 999n }));
  const plan = await planFor(world);
  const again = () => db.transaction((session) => claimAndAudit(session, world, world.mover, plan));
  const first = await again();
  expect(await again()).toEqual({ ...first, batches: [] });
  expect(await leftOutOf(world)).toHaveLength(1);
});

test('a reference that is taken is replaced by another one', async () => {
  const world = await World.create(db);
  const salts = ['same', 'same', 'other'];
  const newSalt = () => salts.shift()!;
  await world.sale((await world.affiliate()).id, ready());
  await claimNow(world, { newSalt });
  await world.sale((await world.affiliate()).id, ready({ hold_until: new Date('2026-03-10T00:00:00Z') }));
  await claimNow(world, { ...march, newSalt });
  expect(salts).toEqual([]);
  const references = (await payoutsOf(world)).map((payout) => payout.reference);
  expect(new Set(references).size).toBe(2);
});

test('in any world: nothing claimed twice, every payout the sum of its lines, and nothing lost', async () => {
  const seed = 20260302;
  const sale = fc.record({
    who: fc.nat(4),
    amount: fc.bigInt({ min: -3_000n, max: 6_000n }),
    status: fc.constantFrom(
      'ready_for_payment' as const,
      'ready_for_payment' as const,
      'pending' as const,
      'declined' as const,
    ),
    currency: fc.constantFrom('USD', 'USD', 'JPY'),
    month: fc.constantFrom('2025-12-31', '2026-02-10', '2026-03-10', '2026-04-10'),
  });
  const affiliate = fc.record({
    status: fc.constantFrom(
      'active' as const,
      'active' as const,
      'paused' as const,
      'banned' as const,
      'pending' as const,
    ),
    payout_method: fc.constantFrom('paypal' as const, 'wise' as const, null),
  });
  const program: fc.Arbitrary<Partial<ProgramRow>> = fc.record({
    minimum_payout: fc.constantFrom(0n, 2_500n),
  });
  await fc.assert(
    fc.asyncProperty(
      program,
      fc.array(affiliate, { minLength: 5, maxLength: 5 }),
      fc.array(sale, { maxLength: 25 }),
      async (terms, affiliates, sales) => {
        const world = await World.create(db, terms);
        const rows = [];
        for (const values of affiliates) rows.push(await world.affiliate(values));
        for (const { who, month, ...values } of sales)
          await world.sale(rows[who]!.id, { ...values, hold_until: new Date(`${month}T00:00:00Z`) });
        const before = await commissionsOf(world);
        await claimNow(world);
        await claimNow(world, march);
        const payouts = await payoutsOf(world);
        const after = await commissionsOf(world);
        for (const payout of payouts) {
          const lines = after.filter((commission) => commission.payout_id === payout.id);
          expect(payout.amount).toBe(lines.reduce((sum, line) => sum + line.amount, 0n));
          expect(payout.lines).toBe(lines.length);
          expect(lines.every((line) => line.currency === payout.currency)).toBe(true);
          expect(lines.every((line) => line.affiliate_id === payout.affiliate_id)).toBe(true);
        }
        expect(after.map(({ payout_id: _, ...rest }) => rest)).toEqual(
          before.map(({ payout_id: _, ...rest }) => rest),
        );
        const carried = after.filter(
          (one) =>
            one.status === 'ready_for_payment' && one.payout_id === null && one.hold_until < march.periodEnd,
        );
        const named = (await leftOutOf(world)).map((row) => `${row.affiliate_id} ${row.currency}`);
        for (const one of carried) expect(named).toContain(`${one.affiliate_id} ${one.currency}`);
      },
    ),
    { seed, numRuns: 25 },
  );
});

/** Declines a ready commission, as another run would, with its posting. */
async function decline(session: Session, world: World, id: string): Promise<void> {
  await session.sql.updateTable('commission').set({ status: 'declined' }).where('id', '=', id).execute();
  const { affiliate_id, currency, amount } = await session.sql
    .selectFrom('commission')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await session.sql
    .insertInto('posting')
    .values({
      account_id: world.accountId,
      id,
      run_id: world.runId,
      affiliate_id,
      currency,
      movement: 'decline',
      from_account: 'ready',
      to_account: 'declined',
      amount,
      lines: 1,
      posted_at: world.mover.now,
    })
    .execute();
}
