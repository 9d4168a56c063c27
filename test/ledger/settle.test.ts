import { describe, expect, test } from 'vitest';
import { assertBalanced } from '../../src/ledger/audit.ts';
import { markExported } from '../../src/ledger/mark-exported.ts';
import { type Answer, settlePayouts } from '../../src/ledger/settle.ts';
import { refusePayouts } from '../../src/ledger/unclaim.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { today, World } from '../support/world.ts';
import { claimNow, march } from './claiming.ts';
import { prove, refund } from './refunding.ts';
import { paidBy } from './settling.ts';

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
  const settle = (...answers: Answer[]) =>
    db.transaction(async (session) => {
      const settled = await settlePayouts(session, world.mover, { answers, by: 'Bob' });
      await prove(session, world);
      return settled;
    });
  const pay = (payoutId: string, providerReference = 'T-1', by = 'Bob') =>
    db.transaction(async (session) => {
      const payment = paidBy({ payoutId, providerReference, by });
      const paid = await settlePayouts(session, world.mover, payment);
      await assertBalanced(session, world.accountId);
      return paid;
    });
  const commissions = (payoutId: string) =>
    db.sql.selectFrom('commission').selectAll().where('payout_id', '=', payoutId).execute();
  return { world, batchId, payouts, batch, pay, settle, commissions };
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
      moved: [{ outcome: 'paid', currency: 'USD', payouts: 1, lines: 3, amount: 6_000n }],
      unchanged: 0,
      settledBatches: 0,
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
    expect(await pay(one!.id)).toMatchObject({ settledBatches: 0 });
    expect(await pay(two!.id)).toMatchObject({ settledBatches: 1 });
    expect(await batch()).toMatchObject({ status: 'settled' });
  });

  test('the last two at the same moment settle the batch', async () => {
    const { world, payouts, pay, batch } = await exported(1, 2);
    const [one, two] = await payouts();
    const first = await db.transaction(async (session) => {
      await settlePayouts(
        session,
        world.mover,
        paidBy({ payoutId: one!.id, providerReference: 'T-1', by: 'Bob' }),
      );
      const other = pay(two!.id);
      await waitsForLock(db, other);
      return { other };
    });
    expect(await first.other).toMatchObject({ settledBatches: 1 });
    expect(await batch()).toMatchObject({ status: 'settled' });
  });

  test('again with the same reference changes nothing; with another one it is refused', async () => {
    const { payouts, pay } = await exported(1, 1);
    const [payout] = await payouts();
    await pay(payout!.id, 'T-1', 'Bob');
    const before = await payouts();
    expect(await pay(payout!.id, 'T-1', 'Eve')).toMatchObject({ moved: [], unchanged: 1 });
    await expect(pay(payout!.id, 'T-2')).rejects.toMatchObject({
      code: 'state',
      message: expect.stringMatching(/another reference: T-1/),
    });
    expect(await payouts()).toEqual(before);
  });

  test('twice at the same moment pays once', async () => {
    const { payouts, pay, world } = await exported(2);
    const [payout] = await payouts();
    const both = await Promise.all([pay(payout!.id), pay(payout!.id)]);
    expect(both.map((one) => one.unchanged).sort()).toEqual([0, 1]);
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
      message: expect.stringContaining('not exported yet'),
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
    expect(await pay(other!.id)).toMatchObject({ settledBatches: 1 });
  });
});

const answer = (payout: string, outcome: Answer['outcome'], more: Partial<Answer> = {}): Answer => ({
  payout,
  outcome,
  providerReference: outcome === 'paid' ? 'T-1' : null,
  reason: outcome === 'paid' ? null : 'account closed',
  ...more,
});

describe('a payout that failed or came back', () => {
  test.each(['failed', 'returned'] as const)(
    'is %s: its commissions are ready, the next payout takes them up',
    async (outcome) => {
      const { world, payouts, settle, batch } = await exported(1, 2);
      const [one, two] = await payouts();
      expect(await settle(answer(one!.reference, 'paid'), answer(two!.reference, outcome))).toMatchObject({
        moved: [
          { outcome: 'paid', lines: 1, amount: 2_000n },
          { outcome, lines: 2, amount: 4_000n },
        ],
        settledBatches: 1,
      });
      expect(await payouts()).toMatchObject([
        { status: 'paid' },
        { status: outcome, reason: 'account closed', settled_by: 'Bob', status_at: today },
      ]);
      expect(await batch()).toMatchObject({ status: 'settled' });
      const again = await claimNow(world, march);
      expect(again.batches).toMatchObject([{ affiliates: 1, lines: 2, amount: 4_000n }]);
    },
  );

  test('after it was paid: returned, ready again, and a refund meanwhile is netted once', async () => {
    const { world, payouts, settle, commissions } = await exported(2);
    const [payout] = await payouts();
    await settle(answer(payout!.id, 'paid'));
    const [line] = await commissions(payout!.id);
    const sale = await db.sql
      .selectFrom('conversion')
      .select('external_id')
      .where('id', '=', line!.id)
      .executeTakeFirstOrThrow();
    await refund(world, { saleExternalId: sale.external_id, amount: 10_000n });
    expect(await settle(answer(payout!.reference, 'returned'))).toMatchObject({
      moved: [{ outcome: 'returned', lines: 2, amount: 4_000n }],
    });
    const posted = await db.sql
      .selectFrom('posting')
      .selectAll()
      .where('account_id', '=', world.accountId)
      .where('movement', '=', 'return')
      .execute();
    expect(posted).toMatchObject([{ from_account: 'paid', to_account: 'ready', amount: 4_000n, lines: 2 }]);
    const again = await claimNow(world, march);
    expect(again.batches).toMatchObject([{ lines: 1, amount: 2_000n }]);
  });

  test('again changes nothing, whole or in part', async () => {
    const { payouts, settle } = await exported(1, 2);
    const [one, two] = await payouts();
    await settle(answer(one!.reference, 'failed'));
    const before = (await payouts())[0];
    expect(
      await settle(answer(one!.reference, 'failed', { reason: 'other' }), answer(two!.reference, 'failed')),
    ).toMatchObject({ moved: [{ payouts: 1 }], unchanged: 1 });
    expect((await payouts())[0]).toEqual(before);
  });

  test('contradictions and unknown references are named, each, and nothing is marked', async () => {
    const { payouts, settle } = await exported(1, 2, 3, 4);
    const [paid, twice, returned, fine] = await payouts();
    await settle(answer(paid!.reference, 'paid'), answer(returned!.reference, 'returned'));
    const before = await payouts();
    const wrong = settle(
      answer(fine!.reference, 'paid'),
      answer(paid!.reference, 'failed', { where: 'a.csv:2' }),
      answer(twice!.reference, 'paid', { where: 'a.csv:3' }),
      answer(twice!.id, 'failed', { where: 'a.csv:4' }),
      answer(returned!.reference, 'paid', { where: 'a.csv:5' }),
    );
    await expect(wrong).rejects.toMatchObject({ code: 'state' });
    const { message } = (await wrong.catch((fault: Error) => fault)) as Error;
    expect(message).toContain(`${paid!.reference} (a.csv:2) is paid, as Bob says`);
    expect(message).toContain(`${twice!.reference} (a.csv:3, a.csv:4) is paid and failed`);
    expect(message).toContain(`${returned!.reference} (a.csv:5) is returned`);
    expect(message).not.toContain(fine!.reference);
    const unknown = settle(answer(fine!.reference, 'paid'), answer('NOSUCH', 'paid', { where: 'a.csv:9' }));
    await expect(unknown).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('NOSUCH (a.csv:9)'),
    });
    expect(await payouts()).toEqual(before);
  });

  test('needs a reason', async () => {
    const { payouts, settle } = await exported(1);
    const [payout] = await payouts();
    await expect(settle(answer(payout!.id, 'failed', { reason: null }))).rejects.toMatchObject({
      code: 'usage',
      todo: expect.stringContaining('--reason'),
    });
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
