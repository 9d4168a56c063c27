import { expect, test } from 'vitest';
import { approveBatch } from '../../src/ledger/approve.ts';
import { exportPayouts, settleByHand, toDoInPayouts } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { preparedBatch } from './batch-fixture.ts';

const { db } = await testDatabase();

const answer = (payout: string, reference: string) => ({
  choice: { payouts: [payout] },
  outcome: 'paid' as const,
  reference,
  by: 'Eve',
});

test('a batch waits for its approval, its payouts then for their answers, and then for nothing', async () => {
  const payees = [{ commissions: [{ amount: 6_000n }] }, { commissions: [{ amount: 7_000n }] }];
  const { world, batchId, name, work, payouts } = await preparedBatch(db, payees, {
    payout_approval: 'manual',
  });
  const todo = () => db.session((session) => toDoInPayouts(session, world.accountId));
  expect(await todo()).toMatchObject([
    {
      what: 'batches_to_approve',
      count: 1,
      amounts: { USD: '130.00' },
      command: `payrun payouts approve ${name}`,
    },
  ]);
  await db.transaction((session) => approveBatch(session, world.mover, { batchId, by: 'Eve' }));
  expect(await todo()).toEqual([]);
  await exportPayouts(work(), {});
  expect(await todo()).toMatchObject([
    {
      what: 'payouts_without_answer',
      count: 2,
      amounts: { USD: '130.00' },
      command: `payrun payouts show ${name}`,
    },
  ]);
  const [first, second] = await payouts();
  await settleByHand(work(), answer(first!.reference, 'T-1'));
  expect(await todo()).toMatchObject([{ count: 1, amounts: { USD: '70.00' } }]);
  await settleByHand(work(), answer(second!.reference, 'T-2'));
  expect(await todo()).toEqual([]);
});

test('where a first person has said yes, a second is waited for; several batches are shown as a list', async () => {
  const payees = [{}, {}].map((_, n) => ({
    commissions: [{ amount: 6_000n, currency: n === 0 ? 'USD' : 'EUR' }],
  }));
  const { world, batches } = await preparedBatch(db, payees, {
    payout_approval: 'two_persons',
    minimum_payout: 0n,
  });
  await db.sql
    .updateTable('payout_batch')
    .set({ prepared_by_person: false })
    .where('account_id', '=', world.accountId)
    .execute();
  const todo = () => db.session((session) => toDoInPayouts(session, world.accountId));
  expect(await todo()).toMatchObject([
    {
      what: 'batches_to_approve',
      count: 2,
      amounts: { EUR: '60.00', USD: '60.00' },
      command: 'payrun payouts list --status draft',
    },
  ]);
  const [batch] = await batches();
  await db.transaction((session) => approveBatch(session, world.mover, { batchId: batch!.id, by: 'Eve' }));
  expect(await todo()).toMatchObject([
    { what: 'batches_to_approve', count: 1 },
    { what: 'second_approvals', count: 1 },
  ]);
});
