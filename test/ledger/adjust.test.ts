import { expect, test } from 'vitest';
import { newId } from '../../src/ids.ts';
import { type Adjustment, adjust } from '../../src/ledger/adjust.ts';
import { testDatabase } from '../support/database.ts';
import { today, World } from '../support/world.ts';
import { claimNow, march, ready } from './claiming.ts';
import { lines, prove } from './refunding.ts';

const { db } = await testDatabase();

async function worldWithOne() {
  const world = await World.create(db);
  const affiliate = await world.affiliate();
  const given: Adjustment = {
    affiliateId: affiliate.id,
    programId: world.programId,
    currency: 'USD',
    amount: 1_500n,
    reason: 'a prize',
    by: 'Eve',
  };
  const make = (...changes: Partial<Adjustment>[]) =>
    db.transaction(async (session) => {
      const ids = await adjust(
        session,
        world.mover,
        changes.map((change) => ({ ...given, ...change })),
      );
      await prove(session, world);
      return ids;
    });
  return { world, affiliateId: affiliate.id, make };
}

test('adjustments, given and taken, are ready at once and paid with the rest', async () => {
  const { world, affiliateId, make } = await worldWithOne();
  await world.sale(affiliateId, ready());
  expect(await make({}, { amount: -200n, reason: 'paid twice' })).toHaveLength(2);
  expect(await lines(world)).toEqual([
    '2000 ready_for_payment',
    '1500 ready_for_payment',
    '-200 ready_for_payment',
  ]);
  expect((await claimNow(world, march)).batches).toMatchObject([{ amount: 3_300n, lines: 3 }]);
});

test('an adjustment needs a reason, a name, an amount, a currency, and an affiliate and programme of the account', async () => {
  const { world, make } = await worldWithOne();
  await expect(make({ reason: ' ' })).rejects.toMatchObject({ code: 'usage' });
  await expect(make({ by: '' })).rejects.toMatchObject({ code: 'usage' });
  await expect(make({ amount: 0n })).rejects.toMatchObject({ code: 'usage' });
  await expect(make({ currency: 'XXX' })).rejects.toMatchObject({ code: 'usage' });
  const { id } = await (await World.create(db)).affiliate();
  await expect(make({}, { affiliateId: id })).rejects.toMatchObject({ code: 'not-found' });
  await expect(make({ programId: newId(today) })).rejects.toMatchObject({ code: 'not-found' });
  expect(await lines(world)).toEqual([]);
});
