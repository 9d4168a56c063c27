import fc from 'fast-check';
import { expect, test } from 'vitest';
import { approveBatch } from '../../src/ledger/approve.ts';
import { settlePayouts } from '../../src/ledger/settle.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { preparePayouts } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { holds } from '../support/property.ts';
import { testWork } from '../support/work.ts';
import { World } from '../support/world.ts';
import { batchesOf, claimNow, leftOutOf, march, payoutsOf, ready } from './claiming.ts';
import { payOut, prove, refund } from './refunding.ts';

const { db } = await testDatabase();

const huf = (amount: bigint) => ready({ currency: 'HUF', amount });
const forints = { currency: 'HUF' };
const sumOf = (rows: { amount: bigint }[]) => rows.reduce((sum, { amount }) => sum + amount, 0n);

const linesOf = async (world: World, payoutId: string | null) => {
  const rows = await db.sql
    .selectFrom('commission')
    .select('amount')
    .where('account_id', '=', world.accountId)
    .where('payout_id', payoutId === null ? 'is' : '=', payoutId)
    .orderBy('amount')
    .execute();
  return rows.map(({ amount }) => amount);
};

test('PayPal pays whole forints, the rest stays with the affiliate, and the next payout takes it up', async () => {
  const world = await World.create(db);
  const [ada, ben] = [await world.affiliate(), await world.affiliate()];
  await world.sale(ada.id, huf(123_456n), forints);
  await world.sale(ben.id, huf(40n), forints);
  const claimed = await claimNow(world);
  expect(claimed.batches).toMatchObject([{ affiliates: 1, lines: 2, amount: 123_400n }]);
  expect(claimed.carried).toMatchObject([{ method: 'paypal', currency: 'HUF', affiliates: 1, amount: 56n }]);
  expect(await leftOutOf(world)).toMatchObject([
    { affiliate_id: ben.id, amount: 40n, reason: 'under_one_unit' },
  ]);
  const [payout] = await payoutsOf(world);
  expect(payout).toMatchObject({ amount: 123_400n, lines: 2 });
  expect(await linesOf(world, payout!.id)).toEqual([-56n, 123_456n]);
  expect(await linesOf(world, null)).toEqual([40n, 56n]);

  await world.sale(ada.id, huf(144n), forints);
  const next = await claimNow(world, march);
  expect(next.batches).toMatchObject([{ affiliates: 1, lines: 2, amount: 200n }]);
  expect(next.carried).toEqual([]);
  await db.transaction((session) => prove(session, world));
});

test.each([
  ['TWD', 'paypal', 150n, 100n],
  ['JPY', 'paypal', 150n, 150n],
  ['USD', 'paypal', 150n, 150n],
  ['HUF', 'wise', 150n, 150n],
] as const)('of %s by %s, %s minor units are paid as %s', async (currency, payout_method, amount, paid) => {
  const world = await World.create(db);
  const ada = await world.affiliate({ payout_method });
  await world.sale(ada.id, ready({ currency, amount }), { currency });
  const claimed = await claimNow(world);
  expect(claimed.batches).toMatchObject([{ amount: paid }]);
  expect(claimed.carried).toHaveLength(paid === amount ? 0 : 1);
});

test('a refund that leaves a fraction in a draft: the approval makes it whole again, or refuses what is under a unit', async () => {
  const world = await World.create(db, { payout_approval: 'manual' });
  const [ada, ben] = [await world.affiliate(), await world.affiliate()];
  const sale = { ...forints, amount: 100_000n };
  await world.sale(ada.id, huf(1_055n), { ...sale, external_id: 'A' });
  await world.sale(ada.id, huf(530n), forints);
  await world.sale(ben.id, huf(1_050n), { ...sale, external_id: 'B' });
  await world.sale(ben.id, huf(70n), forints);
  await claimNow(world);
  await refund(
    world,
    { ...forints, externalId: 'r-A', saleExternalId: 'A', amount: 50_000n },
    { ...forints, externalId: 'r-B', saleExternalId: 'B', amount: 50_000n },
  );
  const batchId = (await batchesOf(world))[0]!.id;
  const refused = await db.transaction(async (session) => {
    const said = await approveBatch(session, world.mover, { batchId, by: 'Ada' });
    await prove(session, world);
    return said;
  });
  expect(refused).toMatchObject([{ reason: expect.stringContaining('less than one HUF') }]);
  for (const { status, amount } of await payoutsOf(world))
    if (status !== 'canceled') expect(amount % 100n).toBe(0n);
});

test('whatever becomes of the payouts, to the cent what was earned is paid or ready', async () => {
  await holds(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.bigInt({ min: 1n, max: 999n }), fc.constantFrom('paid', 'failed', 'returned', 'cancel')),
        { minLength: 1, maxLength: 4 },
      ),
      async (months) => {
        const world = await World.create(db, { payout_approval: 'manual' });
        const ada = await world.affiliate();
        let earned = 0n;
        for (const [index, [amount, becomes]] of months.entries()) {
          await world.sale(ada.id, huf(amount), forints);
          earned += amount;
          const period = {
            periodStart: new Date(Date.UTC(2026, 1 + index, 1)),
            periodEnd: new Date(Date.UTC(2026, 2 + index, 1)),
          };
          await payOut(world, becomes === 'cancel' ? 'draft' : 'exported', period);
          for (const { id, status } of await batchesOf(world))
            if (status === 'draft')
              await db.transaction((session) => unclaim(session, world.mover, { batchId: id, reason: 'x' }));
          for (const { id, status } of await payoutsOf(world)) {
            if (status !== 'exported') continue;
            const outcome = becomes as 'paid' | 'failed' | 'returned';
            const answer = { payout: id, outcome, providerReference: 'T', reason: 'x' };
            await db.transaction((session) =>
              settlePayouts(session, world.mover, { answers: [answer], by: 'Bob' }),
            );
          }
          await db.transaction((session) => prove(session, world));
          const paid = (await payoutsOf(world)).filter((one) => one.status === 'paid');
          for (const one of paid) expect(one.amount % 100n).toBe(0n);
          expect(sumOf(paid) + (await linesOf(world, null)).reduce((sum, one) => sum + one, 0n)).toBe(earned);
        }
      },
    ),
    15,
  );
});

test('the report of a preparation says what is carried on', async () => {
  const world = await World.create(db, { ref: 'main' });
  await world.sale((await world.affiliate()).id, huf(150n), forints);
  expect(await preparePayouts(testWork(world), { preparedBy: 'Ada' })).toMatchObject({
    totals: { HUF: { payouts: '1.00', carried: '0.50' } },
    report: {
      carried: [
        { program: 'main', affiliates: 1, amount: '0.50', why: expect.stringContaining('whole HUF only') },
      ],
    },
  });
});
