import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cancelPayouts, settleByHand } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { today } from '../support/world.ts';
import {
  addPayouts,
  exportKilled,
  exportUnaudited,
  preparedBatch,
  reportOf,
  three,
} from './batch-fixture.ts';

const { db } = await testDatabase();

describe('exporting again', () => {
  test('gives the same bytes, whatever has happened to payouts, affiliates and programme since', async () => {
    const batch = await preparedBatch(db, three);
    await batch.export();
    const before = await batch.outbox();
    const [first] = await batch.payouts();
    await settleByHand(batch.work(), {
      choice: { payouts: [first!.id] },
      outcome: 'paid',
      reference: 'T-1',
      by: 'Bob',
    });
    await db.sql
      .updateTable('affiliate')
      .set({ payout_destination: 'elsewhere@example.com', name: 'Other', payout_method: 'wise' })
      .where('account_id', '=', batch.world.accountId)
      .execute();
    await db.sql
      .updateTable('program')
      .set({ name: 'Other', timezone: 'Asia/Tokyo' })
      .where('account_id', '=', batch.world.accountId)
      .execute();
    const again = await batch.export({ batchId: batch.batchId });
    expect(reportOf(again).files.map((file) => file.state)).toEqual(
      Array(2).fill('already there, same bytes'),
    );
    expect(await batch.outbox()).toEqual(before);
    for (const name of Object.keys(before)) await rm(path.join(batch.workspace, 'outbox', name));
    const rebuilt = await batch.export({ batchId: batch.batchId }, { now: new Date('2027-01-01T00:00:00Z') });
    expect(reportOf(rebuilt)).toMatchObject({
      batches: [{ done: 'rebuilt' }],
      files: [{ state: 'written' }, { state: 'written' }],
    });
    expect(await batch.outbox()).toEqual(before);
    expect(await batch.batches()).toMatchObject([{ status: 'exported', exported_at: today }]);
  });

  test('gives the same bytes when the provider has sent a payout back since', async () => {
    const batch = await preparedBatch(db, three);
    await batch.export();
    const before = await batch.outbox();
    const [payout] = await batch.payouts();
    await db.sql
      .updateTable('payout')
      .set({ status: 'canceled', status_at: new Date('2026-03-09T00:00:00Z') })
      .where('id', '=', payout!.id)
      .execute();
    const { counts } = await exportUnaudited(batch, batch.batchId);
    expect(counts).toMatchObject({ rebuilt_batches: 1, files_written: 0 });
    expect(await batch.outbox()).toEqual(before);
  });

  test.each(['paypal.csv', 'paypal.manifest.json'])(
    'alarms when %s was changed, and changes nothing',
    async (file) => {
      const batch = await preparedBatch(db, three);
      await batch.export();
      const changed = path.join(batch.workspace, 'outbox', `${batch.name}.${file}`);
      await writeFile(changed, 'tampered');
      const before = await batch.outbox();
      await expect(batch.export({ batchId: batch.batchId })).rejects.toMatchObject({
        code: 'file-exists',
        place: { file: changed },
      });
      expect(await batch.outbox()).toEqual(before);
    },
  );

  test('alarms when a rebuilt file would not be the one that left', async () => {
    const batch = await preparedBatch(db, three);
    await batch.export();
    const files = await batch.outbox();
    for (const name of Object.keys(files)) await rm(path.join(batch.workspace, 'outbox', name));
    const [payout] = await batch.payouts();
    await db.sql
      .updateTable('payout')
      .set({ destination: 'thief@example.com' })
      .where('id', '=', payout!.id)
      .execute();
    await expect(batch.export({ batchId: batch.batchId })).rejects.toMatchObject({ code: 'state' });
    expect(await batch.outbox()).toEqual({});
  });

  test('a file of that name from elsewhere is never overwritten, and the batch stays approved', async () => {
    const batch = await preparedBatch(db, three);
    await batch.export({}, { dryRun: true });
    await writeFile(path.join(batch.workspace, 'outbox', `${batch.name}.paypal.csv`), 'mine');
    const outcome = await batch.export();
    expect(outcome).toMatchObject({ exitCode: 1, counts: { exported_batches: 0, failed_batches: 1 } });
    expect(reportOf(outcome).failed).toMatchObject([{ batch: batch.name, code: 'file-exists' }]);
    expect(await batch.outbox()).toEqual({ [`${batch.name}.paypal.csv`]: 'mine' });
    expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
  });
});

describe('at the same moment, and killed on the way', () => {
  test('two exports end like one', async () => {
    const batch = await preparedBatch(db, three);
    const both = await Promise.all([
      batch.export({ batchId: batch.batchId }),
      batch.export({ batchId: batch.batchId }),
    ]);
    expect(both.map((one) => one.counts.exported_batches).sort()).toEqual([0, 1]);
    expect(both.map((one) => one.counts.files_written).sort()).toEqual([0, 2]);
    expect(Object.keys(await batch.outbox())).toHaveLength(2);
  });

  test('killed between writing and committing, and started again: the same end, and no leftovers', async () => {
    const batch = await preparedBatch(db, three);
    await exportKilled(batch);
    const before = await batch.outbox();
    expect(Object.keys(before)).toHaveLength(2);
    expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
    await writeFile(
      path.join(batch.workspace, 'outbox', `.${batch.name}.run_01kjp7t0w0edkrdz2gjk1gdgsp.00aa00aa00aa.part`),
      'half a fi',
    );
    const outcome = await batch.export();
    expect(outcome.counts).toMatchObject({ exported_batches: 1, files_written: 0 });
    expect(await batch.outbox()).toEqual(before);
    expect(await batch.batches()).toMatchObject([{ status: 'exported' }]);
  });

  test('a batch whose export was cut off can’t be canceled while its files stand there', async () => {
    const batch = await preparedBatch(db, three);
    await batch.export({}, { dryRun: true });
    const file = path.join(batch.workspace, 'outbox', `${batch.name}.paypal.csv`);
    await writeFile(file, 'uploaded, perhaps');
    const cancel = () => cancelPayouts(batch.work(), { batchId: batch.batchId, reason: 'test' });
    await expect(cancel()).rejects.toMatchObject({ code: 'state', found: `${batch.name}.paypal.csv` });
    expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
    await rm(file);
    expect(await cancel()).toMatchObject({
      counts: { payouts: 3 },
      totals: { USD: { ready_again: '42.55' } },
    });
  });

  test('interrupted: nothing is left, and the connection can be used again', async () => {
    const batch = await preparedBatch(db, three);
    await addPayouts(db, batch.world.accountId, 20_000);
    await expect(batch.export({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(await batch.outbox()).toEqual({});
    expect((await exportUnaudited(batch)).counts).toMatchObject({ exported_payouts: 20_003 });
  });

  test('one batch that fails does not keep the others', async () => {
    const batch = await preparedBatch(db, [...three, { commissions: [{ amount: 300n, currency: 'JPY' }] }]);
    await batch.export({}, { dryRun: true });
    await writeFile(path.join(batch.workspace, 'outbox', `${batch.name}.paypal.csv`), 'in the way');
    const outcome = await batch.export();
    expect(outcome).toMatchObject({ exitCode: 1, counts: { exported_batches: 1, failed_batches: 1 } });
    expect(outcome.message).toContain('outbox');
    expect((await batch.batches()).map((one) => one.status).sort()).toEqual(['approved', 'exported']);
  });

  test('an outbox that can’t be written is a fault that a person understands', async () => {
    const batch = await preparedBatch(db, three);
    await writeFile(path.join(batch.workspace, 'outbox'), 'no folder');
    await expect(batch.export()).rejects.toMatchObject({
      code: 'wrong-path',
      message: '"outbox/" is there already, and in the way.',
    });
    expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
  });
});
