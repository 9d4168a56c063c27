import { describe, expect, test } from 'vitest';
import { assertBalanced } from '../../src/ledger/audit.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { markPaid } from '../../src/ledger/settle.ts';
import { refusePayouts } from '../../src/ledger/unclaim.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { today, World } from '../support/world.ts';
import { claimNow } from './claiming.ts';

const { db } = await testDatabase();

/** A batch with a payout for each number, which is how many commissions of 20.00 it has. */
async function approved(...lines: number[]) {
  const world = await World.create(db);
  for (const count of lines) {
    const affiliate = await world.affiliate();
    for (let i = 0; i < count; i += 1) await world.sale(affiliate.id, { status: 'ready_for_payment' });
  }
  const claimed = await claimNow(world);
  const batchId = claimed.batches[0]!.batchId;
  const payouts = () =>
    db.sql.selectFrom('payout').selectAll().where('batch_id', '=', batchId).orderBy('lines').execute();
  const batch = () =>
    db.sql.selectFrom('payout_batch').selectAll().where('id', '=', batchId).executeTakeFirstOrThrow();
  const pay = (payoutId: string, providerReference = 'T-1', by = 'Bob') =>
    db.transaction(async (session) => {
      const paid = await markPaid(session, world.mover, { payoutId, providerReference, by });
      await assertBalanced(session, world.accountId);
      return paid;
    });
  const commissions = (payoutId: string) =>
    db.sql.selectFrom('commission').selectAll().where('payout_id', '=', payoutId).execute();
  return { world, batchId, payouts, batch, pay, commissions };
}

async function exported(...lines: number[]) {
  const fixture = await approved(...lines);
  const { world, batchId } = fixture;
  await db.transaction((session) =>
    markExported(session, world.mover, { batchId, format: 'paypal', files: [] }),
  );
  return fixture;
}

describe('marking a payout as paid', () => {
  test('pays its commissions, by name and reference, and nobody else’s', async () => {
    const { payouts, pay, batch, commissions } = await exported(1, 3);
    const [other, mine] = await payouts();
    expect(await pay(mine!.id, ' TX-9 ', ' Bob ')).toMatchObject({
      amount: 6_000n,
      lines: 3,
      alreadyPaid: false,
      batchSettled: false,
    });
    const [untouched, paid] = await payouts();
    expect(paid).toMatchObject({
      status: 'paid',
      provider_reference: 'TX-9',
      settled_by: 'Bob',
      status_at: today,
    });
    expect(untouched).toEqual(other);
    expect((await commissions(mine!.id)).map((one) => one.status)).toEqual(['paid', 'paid', 'paid']);
    expect((await commissions(other!.id)).map((one) => one.status)).toEqual(['ready_for_payment']);
    expect(await batch()).toMatchObject({ status: 'exported' });
  });

  test('the last one settles the batch', async () => {
    const { payouts, pay, batch } = await exported(1, 2);
    const [one, two] = await payouts();
    expect(await pay(one!.id)).toMatchObject({ batchSettled: false });
    expect(await pay(two!.id)).toMatchObject({ batchSettled: true });
    expect(await batch()).toMatchObject({ status: 'settled' });
  });

  test('the last two at the same moment settle the batch', async () => {
    const { world, payouts, pay, batch } = await exported(1, 2);
    const [one, two] = await payouts();
    const first = await db.transaction(async (session) => {
      await markPaid(session, world.mover, { payoutId: one!.id, providerReference: 'T-1', by: 'Bob' });
      const other = pay(two!.id);
      await waitsForLock(db, other);
      return { other };
    });
    expect(await first.other).toMatchObject({ batchSettled: true });
    expect(await batch()).toMatchObject({ status: 'settled' });
  });

  test('again with the same reference changes nothing; with another one it is refused', async () => {
    const { payouts, pay } = await exported(1, 1);
    const [payout] = await payouts();
    await pay(payout!.id, 'T-1', 'Bob');
    const before = await payouts();
    expect(await pay(payout!.id, 'T-1', 'Eve')).toMatchObject({ alreadyPaid: true });
    await expect(pay(payout!.id, 'T-2')).rejects.toMatchObject({ code: 'state', found: 'T-1' });
    expect(await payouts()).toEqual(before);
  });

  test('twice at the same moment pays once', async () => {
    const { payouts, pay, world } = await exported(2);
    const [payout] = await payouts();
    const both = await Promise.all([pay(payout!.id), pay(payout!.id)]);
    expect(both.map((one) => one.alreadyPaid).sort()).toEqual([false, true]);
    const posted = await db.sql
      .selectFrom('posting')
      .selectAll()
      .where('account_id', '=', world.accountId)
      .where('movement', '=', 'pay')
      .execute();
    expect(posted).toMatchObject([
      { amount: 4_000n, lines: 2, from_account: 'in_payout', to_account: 'paid' },
    ]);
  });

  test('is refused before the batch was exported, for a canceled payout, and without reference or name', async () => {
    const { payouts, pay, world, batchId } = await approved(1, 2);
    const [refused, other] = await payouts();
    await expect(pay(other!.id)).rejects.toMatchObject({
      code: 'state',
      todo: expect.stringContaining('export'),
    });
    await db.transaction(async (session) => {
      const references = [refused!.reference];
      await refusePayouts(session, world.mover, { batchId, reason: 'no', references });
      await markExported(session, world.mover, { batchId, format: 'paypal', files: [] });
    });
    await expect(pay(refused!.id)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('canceled'),
    });
    await expect(pay(other!.id, ' ')).rejects.toMatchObject({ code: 'usage' });
    await expect(pay(other!.id, 'T-1', ' ')).rejects.toMatchObject({ code: 'usage' });
    await expect(pay(world.runId)).rejects.toMatchObject({ code: 'not-found' });
    expect(await pay(other!.id)).toMatchObject({ batchSettled: true });
  });
});

test('a payout that is not the sum of its commissions is never paid', async () => {
  const { payouts, pay } = await exported(2);
  const [payout] = await payouts();
  await db.sql.updateTable('payout').set({ amount: 3_999n }).where('id', '=', payout!.id).execute();
  await expect(pay(payout!.id)).rejects.toMatchObject({
    code: 'books-adrift',
    message: expect.stringContaining('not the sum'),
  });
});

test('exporting marks an approved batch once', async () => {
  const { world, batchId, payouts, batch } = await exported(1);
  const files = [{ name: 'other.csv', sha256: 'x' }];
  await expect(
    db.transaction((session) => markExported(session, world.mover, { batchId, format: 'report', files })),
  ).rejects.toMatchObject({ code: 'state' });
  expect(await batch()).toMatchObject({ status: 'exported', export_format: 'paypal', export_files: [] });
  expect(await payouts()).toMatchObject([{ status: 'exported' }]);
});
