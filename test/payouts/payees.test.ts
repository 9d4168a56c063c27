import { expect, test } from 'vitest';
import { listPayees, preparePayouts } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { testWork } from '../support/work.ts';
import { World } from '../support/world.ts';

const { db } = await testDatabase();

/** Payouts of Ann (in two currencies), bob, Cho and dee, prepared. */
async function prepared() {
  const world = await World.create(db, { payout_approval: 'manual' });
  for (const [ref, name] of [
    ['x', 'Cho'],
    ['d', 'Ann'],
    ['c', 'bob'],
    ['a', 'dee'],
  ] as const) {
    const { id } = await world.affiliate({ ref: `${ref}-${world.accountRef}`, name });
    await world.sale(id, { status: 'ready_for_payment', amount: 1_000n });
    if (name === 'Ann')
      await world.sale(id, { status: 'ready_for_payment', amount: 7n, currency: 'EUR' }, { currency: 'EUR' });
  }
  const outcome = await preparePayouts(testWork(world), { preparedBy: 'Ada' });
  const batches = await db.sql
    .selectFrom('payout_batch')
    .select('id')
    .where('account_id', '=', world.accountId)
    .execute();
  const list = (limit: number, more: { after?: string; affiliate?: string } = {}) =>
    db.session((session) =>
      listPayees(session, world.accountId, { batchIds: batches.map(({ id }) => id), limit, ...more }),
    );
  return { world, outcome, list };
}

test('a preparation tells who gets what, by name', async () => {
  const { outcome } = await prepared();
  const { payees, batches } = outcome.report as Record<'payees' | 'batches', Record<string, unknown>[]>;
  expect(batches).toMatchObject([{ still_needed: 'one person' }, { still_needed: 'one person' }]);
  expect(payees.map(({ name }) => name)).toEqual(['Ann', 'Ann', 'bob', 'Cho', 'dee']);
  expect(payees.at(-1)).toMatchObject({
    name: 'dee',
    method: 'paypal',
    commissions: 1,
    amount: '10.00',
    currency: 'USD',
  });
});

test('pages follow one another without a gap or a double, and never part one affiliate’s payouts', async () => {
  const { list } = await prepared();
  const all = await list(10);
  expect(all.next).toBeNull();
  for (const limit of [1, 2, 3, 4]) {
    const found = [];
    let after: string | null | undefined;
    do {
      const page = await list(limit, after ? { after } : {});
      found.push(...page.rows);
      after = page.next;
    } while (after);
    expect(found.map(({ reference }) => reference).sort()).toEqual(
      all.rows.map(({ reference }) => reference).sort(),
    );
    expect(found.map(({ name }) => name)).toEqual(['Ann', 'Ann', 'bob', 'Cho', 'dee']);
  }
});

test('one affiliate, by any of its names; one that is not there is said to be', async () => {
  const { list, world } = await prepared();
  const { rows } = await list(10, { affiliate: `D-${world.accountRef}` });
  expect(rows.map(({ amount }) => amount).sort()).toEqual([1_000n, 7n]);
  await expect(list(10, { affiliate: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });
});
