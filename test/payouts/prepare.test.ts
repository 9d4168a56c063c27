import { describe, expect, test } from 'vitest';
import { listBatches, preparePayouts } from '../../src/payouts/payout.ts';
import type { Outcome } from '../../src/runs/work.ts';
import { testDatabase } from '../support/database.ts';
import { testWork } from '../support/work.ts';
import { World } from '../support/world.ts';

const { db } = await testDatabase();

interface Report {
  periods: { program: string; period: string; from: string; to: string }[];
  batches: Record<string, unknown>[];
  left_out: Record<string, unknown>[];
  left_out_affiliates: Record<string, unknown>[];
  waiting: Record<string, unknown>[];
}

const reportOf = (outcome: Outcome) => outcome.report as Report;

async function prepare(world: World, asOf: string, options: { dryRun?: boolean } = {}): Promise<Outcome> {
  const work = testWork(world, {
    asOf: new Date(asOf),
    runId: await world.run('prepare-payouts'),
    ...options,
  });
  return preparePayouts(work, { preparedBy: ' nightly ' });
}

const ready = { status: 'ready_for_payment' as const };

test('the report says who is paid, who is left out and why, and its sums tie', async () => {
  const world = await World.create(db, { ref: 'main', minimum_payout: 5_000n });
  const ann = await world.affiliate({ ref: 'ann' });
  const bob = await world.affiliate({ ref: 'bob', payout_method: 'wise' });
  const cho = await world.affiliate({ ref: 'cho' });
  const dee = await world.affiliate({ ref: 'dee', status: 'paused' });
  const eve = await world.affiliate({ ref: 'eve', payout_destination: null });
  for (const amount of [4_000n, 2_500n]) await world.sale(ann.id, { ...ready, amount });
  await world.sale(bob.id, { ...ready, amount: 10_000n });
  await world.sale(cho.id, { ...ready, amount: 4_999n });
  await world.sale(dee.id, { ...ready, amount: 7_000n });
  await world.sale(eve.id, { ...ready, amount: 8_000n });
  const outcome = await prepare(world, '2026-03-02T03:00:00Z');
  expect(outcome.counts).toEqual({
    programs: 1,
    batches: 2,
    payouts: 2,
    commissions: 3,
    left_out: 3,
    waiting: 0,
    held: 1,
  });
  expect(outcome.totals).toEqual({
    USD: { payouts: '165.00', left_out: '199.99', waiting: '0.00', held: '70.00' },
  });
  const report = reportOf(outcome);
  expect(report.periods).toEqual([
    { program: 'main', period: '2026-02', from: '2026-01-31T23:00:00.000Z', to: '2026-02-28T23:00:00.000Z' },
  ]);
  expect(report.batches).toMatchObject([
    {
      program: 'main',
      period: '2026-02',
      status: 'approved',
      method: 'paypal',
      payouts: 1,
      commissions: 2,
      amount: '65.00',
    },
    { program: 'main', method: 'wise', payouts: 1, commissions: 1, amount: '100.00', currency: 'USD' },
  ]);
  expect(report.left_out).toEqual([
    {
      program: 'main',
      reason: 'no_destination',
      affiliates: 1,
      commissions: 1,
      amount: '80.00',
      currency: 'USD',
    },
    { program: 'main', reason: 'paused', affiliates: 1, commissions: 1, amount: '70.00', currency: 'USD' },
    {
      program: 'main',
      reason: 'under_minimum',
      affiliates: 1,
      commissions: 1,
      amount: '49.99',
      currency: 'USD',
    },
  ]);
  expect(report.left_out_affiliates).toEqual([
    { program: 'main', affiliate: 'cho', reason: 'under_minimum', amount: '49.99', currency: 'USD' },
    { program: 'main', affiliate: 'dee', reason: 'paused', amount: '70.00', currency: 'USD' },
    { program: 'main', affiliate: 'eve', reason: 'no_destination', amount: '80.00', currency: 'USD' },
  ]);
});

test('of many left out, the first fifty by ref are named, and all are counted', async () => {
  const world = await World.create(db, { minimum_payout: 5_000n });
  for (let i = 0; i < 52; i += 1) {
    const affiliate = await world.affiliate({ ref: `a${String(51 - i).padStart(2, '0')}` });
    await world.sale(affiliate.id, ready);
  }
  const outcome = await prepare(world, '2026-03-02T03:00:00Z');
  expect(outcome.counts.left_out).toBe(52);
  const named = reportOf(outcome).left_out_affiliates.map((one) => one.affiliate);
  expect(named).toEqual(Array.from({ length: 50 }, (_, i) => `a${String(i).padStart(2, '0')}`));
});

test('every programme has its own period, in its own zone; retired ones where nothing is owed are left alone', async () => {
  const world = await World.create(db, { ref: 'berlin' });
  const tokyo = await world.program({
    ref: 'tokyo',
    timezone: 'Asia/Tokyo',
    currency: 'JPY',
    payout_every: 'week',
  });
  const newYork = await world.program({
    ref: 'ny',
    timezone: 'America/New_York',
    payout_every: 'half_month',
    payout_net_days: 10,
  });
  const retired = await world.program({ ref: 'old', retired: true });
  const ann = await world.affiliate();
  await world.sale(ann.id, { status: 'paid' }, { program_id: retired });
  for (const program_id of [world.programId, tokyo, newYork])
    await world.sale(
      ann.id,
      { ...ready, amount: 900n, hold_until: new Date('2026-02-01T00:00:00Z') },
      { program_id },
    );
  const outcome = await prepare(world, '2026-03-01T15:00:00Z');
  expect(reportOf(outcome).periods).toMatchObject([
    { program: 'berlin', period: '2026-02' },
    { program: 'ny', period: '2026-02 first half', to: '2026-02-16T05:00:00.000Z' },
    { program: 'tokyo', period: 'week of 2026-02-23', to: '2026-03-01T15:00:00.000Z' },
  ]);
  expect(outcome.counts).toMatchObject({ programs: 3, batches: 3, payouts: 3 });
});

test('what is owed in a retired programme is paid, by its own schedule, minimum and approval', async () => {
  const world = await World.create(db, { ref: 'main' });
  const retired = await world.program({
    ref: 'old',
    retired: true,
    payout_every: 'week',
    payout_approval: 'manual',
    minimum_payout: 800n,
  });
  const [ann, bob] = [await world.affiliate({ ref: 'ann' }), await world.affiliate({ ref: 'bob' })];
  await world.sale(ann.id, { ...ready, amount: 900n }, { program_id: retired });
  await world.sale(bob.id, { ...ready, amount: 700n }, { program_id: retired });
  const outcome = await prepare(world, '2026-03-03T15:00:00Z');
  expect(reportOf(outcome)).toMatchObject({
    periods: [{ program: 'main' }, { program: 'old', period: 'week of 2026-02-23' }],
    batches: [{ program: 'old', status: 'draft', payouts: 1, amount: '9.00' }],
    left_out_affiliates: [{ program: 'old', affiliate: 'bob', reason: 'under_minimum', amount: '7.00' }],
  });
});

describe('the borders of the period decide, in the programme’s zone, over both changes of clocks', () => {
  test.each([
    ['Europe/Berlin', '2026-03-31T22:00:00Z', '2026-03-31T21:59:59.999Z'],
    ['Europe/Berlin', '2026-10-31T23:00:00Z', '2026-10-31T22:59:59.999Z'],
    ['America/New_York', '2026-04-01T04:00:00Z', '2026-04-01T03:59:59.999Z'],
    ['America/New_York', '2026-12-01T05:00:00Z', '2026-12-01T04:59:59.999Z'],
    ['Asia/Tokyo', '2026-03-31T15:00:00Z', '2026-03-31T14:59:59.999Z'],
  ])('%s: what falls due at %s waits for the next month', async (timezone, border, before) => {
    const world = await World.create(db, { timezone });
    const ann = await world.affiliate();
    await world.sale(ann.id, { ...ready, amount: 1n, hold_until: new Date(before) });
    await world.sale(ann.id, { ...ready, amount: 20n, hold_until: new Date(border) });
    const early = await prepare(world, before);
    expect(early.counts).toMatchObject({ batches: 0, left_out: 0 });
    const outcome = await prepare(world, border);
    expect(outcome.totals).toMatchObject({ USD: { payouts: '0.01' } });
  });
});

test('nothing to pay makes no batch; the same night again adds nothing', async () => {
  const world = await World.create(db);
  expect((await prepare(world, '2026-03-02T03:00:00Z')).counts).toMatchObject({
    batches: 0,
    payouts: 0,
    left_out: 0,
  });
  await world.sale((await world.affiliate()).id, ready);
  expect((await prepare(world, '2026-03-02T03:00:00Z')).counts).toMatchObject({ batches: 1, payouts: 1 });
  expect((await prepare(world, '2026-03-02T03:00:00Z')).counts).toMatchObject({
    batches: 0,
    payouts: 0,
    waiting: 0,
  });
  expect(await listBatches(db.sql, world.accountId)).toHaveLength(1);
});

test('a dry run says the same and keeps nothing', async () => {
  const world = await World.create(db);
  await world.sale((await world.affiliate()).id, ready);
  const dry = await prepare(world, '2026-03-02T03:00:00Z', { dryRun: true });
  expect(await listBatches(db.sql, world.accountId)).toEqual([]);
  const real = await prepare(world, '2026-03-02T03:00:00Z');
  expect(dry.counts).toEqual(real.counts);
  expect(dry.totals).toEqual(real.totals);
});

test('whoever prepares must say who it is', async () => {
  const world = await World.create(db);
  await expect(preparePayouts(testWork(world), { preparedBy: ' ' })).rejects.toMatchObject({ code: 'usage' });
});
