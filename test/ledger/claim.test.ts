import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import type { AffiliateRow, CommissionRow, ProgramRow } from '../../src/db/tables.ts';
import { approveBatch } from '../../src/ledger/approve.ts';
import { assertBalanced } from '../../src/ledger/audit.ts';
import { type Claim, type ClaimPlan, claim } from '../../src/ledger/claim.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { World } from '../support/world.ts';

const { db } = await testDatabase();

const february = {
  periodStart: new Date('2026-01-31T23:00:00Z'),
  periodEnd: new Date('2026-02-28T23:00:00Z'),
};
const march = { periodStart: february.periodEnd, periodEnd: new Date('2026-03-31T22:00:00Z') };

async function planFor(
  world: World,
  plan: Partial<ClaimPlan> = {},
  programId = world.programId,
): Promise<ClaimPlan> {
  const program = await db.sql
    .selectFrom('program')
    .selectAll()
    .where('id', '=', programId)
    .executeTakeFirstOrThrow();
  return { program, ...february, preparedBy: 'fin', ...plan };
}

/** Claims in a transaction of its own, under a run of its own, and audits the books before committing. */
async function claimNow(world: World, plan: Partial<ClaimPlan> = {}, programId?: string): Promise<Claim> {
  const full = await planFor(world, plan, programId);
  const mover = { ...world.mover, runId: await world.run() };
  return db.transaction((session) => claimAndAudit(session, world, mover, full));
}

async function claimAndAudit(session: Session, world: World, mover: World['mover'], plan: ClaimPlan) {
  const claimed = await claim(session, mover, plan);
  await assertBalanced(session, world.accountId);
  return claimed;
}

const ready = (values: Partial<CommissionRow> = {}): Partial<CommissionRow> => ({
  status: 'ready_for_payment',
  ...values,
});

const payoutsOf = (world: World) =>
  db.sql
    .selectFrom('payout')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('amount')
    .execute();
const batchesOf = (world: World) =>
  db.sql
    .selectFrom('payout_batch')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('id')
    .execute();
const leftOutOf = (world: World) =>
  db.sql.selectFrom('left_out').selectAll().where('account_id', '=', world.accountId).execute();
const commissionsOf = (world: World) =>
  db.sql
    .selectFrom('commission')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('id')
    .execute();

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
    expect(await claimNow(world)).toEqual({ batches: [], leftOut: [], waiting: [] });
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
    expect(await late.other).toEqual({ batches: [], leftOut: [], waiting: [] });
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
