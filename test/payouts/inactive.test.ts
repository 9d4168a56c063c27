import { rm } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import type { AffiliateRow } from '../../src/db/tables.ts';
import { auditBooks } from '../../src/ledger/audit.ts';
import { approvePayouts, listBatches, preparePayouts } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { exportKilled, preparedBatch, reportOf } from './batch-fixture.ts';

const { db } = await testDatabase();

const two = [
  { affiliate: { ref: 'ann' }, commissions: [{ amount: 1_000n }, { amount: 500n }] },
  { affiliate: { ref: 'bob' }, commissions: [{ amount: 700n }] },
];

type Batch = Awaited<ReturnType<typeof preparedBatch>>;

async function become(batch: Batch, ref: string, status: AffiliateRow['status']): Promise<void> {
  await db.sql
    .updateTable('affiliate')
    .set({ status })
    .where('account_id', '=', batch.world.accountId)
    .where('ref', '=', ref)
    .execute();
}

const approve = (batch: Batch, batchId = batch.batchId, dryRun = false) =>
  approvePayouts(batch.work({ dryRun }), { batchId, by: 'Bob' });

const paidIn = (files: Record<string, string>) =>
  Object.entries(files)
    .filter(([name]) => name.endsWith('.csv'))
    .flatMap(([, text]) => parse(text) as string[][])
    .map((row) => row[1]);

/** Prepares the month after, and exports what came of it. */
async function nextMonth(batch: Batch) {
  const later = { asOf: new Date('2026-04-02T03:00:00Z'), runId: await batch.world.run() };
  const prepared = await preparePayouts(batch.work(later), { preparedBy: 'fin' });
  const exported = await batch.export({}, later);
  return { prepared, exported };
}

describe.each(['banned', 'paused', 'pending'] as const)('an affiliate who is %s since', (status) => {
  test('prepare is not paid by the export: the file is without it, the report names it, the rest leaves', async () => {
    const batch = await preparedBatch(db, two);
    await become(batch, 'ann', status);
    const dry = await batch.export({}, { dryRun: true });
    const outcome = await batch.export();
    expect(dry).toEqual(outcome);
    expect(outcome).toMatchObject({
      exitCode: 3,
      counts: { exported_batches: 1, exported_payouts: 1, refused_payouts: 1 },
      totals: { USD: { exported: '7.00', refused: '15.00' } },
    });
    const ann = (await batch.payouts()).find((payout) => payout.amount === 1_500n)!;
    const reason = `the affiliate is ${status}`;
    expect(reportOf(outcome).refused).toMatchObject([
      { batch: batch.name, reason, payouts: 1, amount: '15.00', references: [ann.reference] },
    ]);
    expect(reportOf(outcome).refused_affiliates).toEqual([
      { affiliate: 'ann', payout: ann.reference, reason, amount: '15.00', currency: 'USD' },
    ]);
    expect(ann).toMatchObject({ status: 'canceled', reason });
    const files = await batch.outbox();
    expect(paidIn(files)).toEqual(['7.00']);
    expect(JSON.parse(files[`${batch.name}.paypal.manifest.json`]!).control).toEqual({
      files: 1,
      rows: 1,
      sums: { USD: '7.00' },
    });
    expect(await db.transaction((session) => auditBooks(session, batch.world.accountId))).toEqual([
      expect.objectContaining({ message: expect.stringContaining('without their import') }),
    ]);
  });

  test('the export keeps its money, and is paid once it is active again', async () => {
    const batch = await preparedBatch(db, two);
    await become(batch, 'ann', status);
    await batch.export();
    expect((await batch.commissions()).filter((one) => one.payout_id === null)).toMatchObject([
      { amount: 500n, status: 'ready_for_payment' },
      { amount: 1_000n, status: 'ready_for_payment' },
    ]);
    const still = await nextMonth(batch);
    expect(still.prepared.report).toMatchObject({ left_out: [{ reason: status, amount: '15.00' }] });
    expect(still.exported.counts).toMatchObject({ exported_payouts: 0 });
    await become(batch, 'ann', 'active');
    const { exported } = await nextMonth(batch);
    expect(exported.totals).toMatchObject({ USD: { exported: '15.00', refused: '0.00' } });
    expect(paidIn(await batch.outbox()).sort()).toEqual(['15.00', '7.00']);
  });

  test('the draft was made is not approved, and the others of its batch are', async () => {
    const batch = await preparedBatch(db, two, { payout_approval: 'manual' });
    await become(batch, 'ann', status);
    expect(await approve(batch, batch.batchId, true)).toMatchObject({ exitCode: 3 });
    const outcome = await approve(batch);
    expect(outcome).toMatchObject({
      exitCode: 3,
      counts: { approved_batches: 1, payouts: 1, refused_payouts: 1 },
      totals: { USD: { approved: '7.00', refused: '15.00' } },
      report: {
        status: 'approved',
        refused: [{ reason: `the affiliate is ${status}`, payouts: 1, amount: '15.00' }],
        refused_affiliates: [{ affiliate: 'ann', reason: `the affiliate is ${status}` }],
      },
    });
    await become(batch, 'ann', 'active');
    expect((await batch.export()).totals).toMatchObject({ USD: { exported: '7.00' } });
  });
});

test('where nobody in a draft is active any more the batch is canceled, and its period can be prepared again', async () => {
  const batch = await preparedBatch(db, two, { payout_approval: 'manual' });
  await become(batch, 'ann', 'paused');
  await become(batch, 'bob', 'banned');
  const outcome = await approve(batch);
  expect(outcome).toMatchObject({
    exitCode: 3,
    counts: { approved_batches: 0, payouts: 0, refused_payouts: 2 },
    report: { status: 'canceled', approved_by: null },
  });
  await become(batch, 'ann', 'active');
  const again = { runId: await batch.world.run() };
  await preparePayouts(batch.work(again), { preparedBy: 'fin' });
  const [latest] = await listBatches(db.sql, batch.world.accountId, { status: 'draft' });
  await approve(batch, latest!.batchId);
  expect((await batch.export()).totals).toMatchObject({ USD: { exported: '15.00' } });
});

test('what was exported before a ban comes out the same when it is exported again after it', async () => {
  const batch = await preparedBatch(db, two);
  await batch.export();
  const before = await batch.outbox();
  await become(batch, 'ann', 'banned');
  for (const name of Object.keys(before)) await rm(path.join(batch.workspace, 'outbox', name));
  expect(await batch.export({ batchId: batch.batchId })).toMatchObject({
    counts: { rebuilt_batches: 1, refused_payouts: 0, files_written: 2 },
  });
  expect(await batch.outbox()).toEqual(before);
});

test('what was exported without a banned affiliate comes out the same when it is active again', async () => {
  const batch = await preparedBatch(db, two);
  await become(batch, 'ann', 'banned');
  await batch.export();
  const before = await batch.outbox();
  await become(batch, 'ann', 'active');
  for (const name of Object.keys(before)) await rm(path.join(batch.workspace, 'outbox', name));
  await batch.export({ batchId: batch.batchId });
  expect(await batch.outbox()).toEqual(before);
});

test('a file of an export that was cut off stays as it is: after a ban the export alarms, and changes nothing', async () => {
  const batch = await preparedBatch(db, two);
  await exportKilled(batch);
  const before = await batch.outbox();
  await become(batch, 'ann', 'banned');
  await expect(batch.export({ batchId: batch.batchId })).rejects.toMatchObject({ code: 'file-exists' });
  expect(await batch.outbox()).toEqual(before);
  expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
  expect(new Set((await batch.payouts()).map((payout) => payout.status))).toEqual(new Set(['approved']));
});
