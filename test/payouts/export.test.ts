import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';
import { cancelPayouts } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { today } from '../support/world.ts';
import { addPayouts, exportUnaudited, preparedBatch, reportOf, three } from './batch-fixture.ts';

const { db } = await testDatabase();

const cents = (amount: string) => BigInt(amount.replace('.', ''));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('exporting an approved batch', () => {
  test('writes PayPal’s file, in order of reference, and a manifest whose totals tie with it', async () => {
    const batch = await preparedBatch(db, three, { ref: 'main' });
    const outcome = await batch.export();
    expect(outcome).toMatchObject({
      counts: {
        exported_batches: 1,
        exported_payouts: 3,
        rebuilt_batches: 0,
        refused_payouts: 0,
        files_written: 2,
      },
      totals: { USD: { exported: '42.55', refused: '0.00' } },
    });
    expect(outcome.exitCode ?? 0).toBe(0);
    const files = await batch.outbox();
    expect(Object.keys(files)).toEqual([`${batch.name}.paypal.csv`, `${batch.name}.paypal.manifest.json`]);
    const csv = files[`${batch.name}.paypal.csv`]!;
    expect(csv.startsWith('\uFEFF')).toBe(false);
    const byReference = [...(await batch.payouts())].sort((a, b) => (a.reference < b.reference ? -1 : 1));
    expect(csv).toBe(
      byReference
        .map(({ destination, amount, reference }) => {
          const text = { 3550: '35.50', 5: '0.05', 700: '7.00' }[String(amount)];
          return `${destination},${text},USD,${reference},Commission payout ${reference},PAYPAL\r\n`;
        })
        .join(''),
    );
    const name = `${batch.name}.paypal.csv`;
    expect(JSON.parse(files[`${batch.name}.paypal.manifest.json`]!)).toEqual({
      batch: batch.name,
      program: 'main',
      period: { start: '2026-01-31T23:00:00.000Z', end: '2026-02-28T23:00:00.000Z' },
      format: 'paypal',
      files: [{ name, rows: 3, sums: { USD: '42.55' }, sha256: sha256(csv) }],
      control: { files: 1, rows: 3, sums: { USD: '42.55' } },
    });
    expect(await batch.batches()).toMatchObject([
      {
        status: 'exported',
        exported_at: today,
        export_format: 'paypal',
        export_files: [{ name, sha256: sha256(csv) }],
      },
    ]);
  });

  test('is not paying: the commissions stay ready, in their payout', async () => {
    const batch = await preparedBatch(db, three);
    const before = await batch.commissions();
    await batch.export();
    expect(await batch.commissions()).toEqual(before);
    expect((await batch.payouts()).map((payout) => payout.status)).toEqual([
      'exported',
      'exported',
      'exported',
    ]);
  });

  test('writes yen in whole units, and every currency into a file of its own', async () => {
    const batch = await preparedBatch(db, [
      { commissions: [{ amount: 1_500n, currency: 'JPY' }] },
      { commissions: [{ amount: 1_500n }] },
    ]);
    const outcome = await batch.export();
    expect(outcome.totals).toMatchObject({ JPY: { exported: '1500' }, USD: { exported: '15.00' } });
    const rows = Object.entries(await batch.outbox())
      .filter(([name]) => name.endsWith('.csv'))
      .map(([, text]) => parse(text) as string[][]);
    expect(rows.map((file) => file.map((row) => row.slice(1, 3)))).toEqual(
      expect.arrayContaining([[['1500', 'JPY']], [['15.00', 'USD']]]),
    );
  });

  test('splits at 5,000 rows, each file with its own totals', async () => {
    const batch = await preparedBatch(db, three);
    await addPayouts(db, batch.world.accountId, 10_001 - 3);
    const { counts } = await exportUnaudited(batch);
    expect(counts).toMatchObject({ exported_payouts: 10_001, files_written: 4 });
    const files = await batch.outbox();
    const names = ['001', '002', '003'].map((number) => `${batch.name}.paypal.${number}-of-003.csv`);
    expect(Object.keys(files)).toEqual([...names, `${batch.name}.paypal.manifest.json`]);
    const rows = names.map((name) => parse(files[name]!) as string[][]);
    expect(rows.map((file) => file.length)).toEqual([5_000, 5_000, 1]);
    const references = rows.flat().map((row) => row[3]!);
    expect(references).toEqual([...references].sort());
    expect(new Set(references).size).toBe(10_001);
    const manifest = JSON.parse(files[`${batch.name}.paypal.manifest.json`]!);
    const sums = rows.map((file) => file.reduce((sum, row) => sum + cents(row[1]!), 0n));
    expect(manifest.files.map((file: { sums: { USD: string } }) => cents(file.sums.USD))).toEqual(sums);
    expect(manifest.control).toMatchObject({ files: 3, rows: 10_001 });
    expect(cents(manifest.control.sums.USD)).toBe(sums.reduce((sum, one) => sum + one));
  });

  test('is refused to a draft, naming the command that approves it, and to a canceled batch', async () => {
    const batch = await preparedBatch(db, three, { payout_approval: 'manual' });
    await expect(batch.export({ batchId: batch.batchId })).rejects.toMatchObject({
      code: 'state',
      todo: expect.stringContaining(`payrun payouts approve ${batch.name}`),
    });
    expect((await batch.export()).counts).toMatchObject({ exported_batches: 0, files_written: 0 });
    await cancelPayouts(batch.work(), { batchId: batch.batchId, reason: 'test' });
    await expect(batch.export({ batchId: batch.batchId })).rejects.toMatchObject({ code: 'state' });
    expect(await batch.outbox()).toEqual({});
  });

  test('a dry run says what would happen and writes nothing', async () => {
    const batch = await preparedBatch(db, three);
    const dry = await batch.export({}, { dryRun: true });
    expect(await batch.outbox()).toEqual({});
    expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
    expect(await batch.export()).toEqual(dry);
  });
});

describe('payouts that the file can’t carry', () => {
  test('are left out of it and given back, with the reason; the others leave', async () => {
    const batch = await preparedBatch(db, [
      ...three,
      { affiliate: { payout_destination: '=cmd@example.com' }, commissions: [{ amount: 90n }] },
    ]);
    const outcome = await batch.export();
    expect(outcome).toMatchObject({
      exitCode: 3,
      counts: { exported_payouts: 3, refused_payouts: 1 },
      totals: { USD: { exported: '42.55', refused: '0.90' } },
    });
    const refused = (await batch.payouts()).find((payout) => payout.amount === 90n)!;
    expect(refused).toMatchObject({ status: 'canceled', reason: expect.stringContaining('formula') });
    expect(reportOf(outcome).refused).toMatchObject([
      { payouts: 1, amount: '0.90', references: [refused.reference] },
    ]);
    expect((await batch.commissions()).find((one) => one.amount === 90n)).toMatchObject({
      payout_id: null,
      status: 'ready_for_payment',
    });
    const before = await batch.outbox();
    expect(Object.values(before).join()).not.toContain('cmd');
    expect(await batch.export({ batchId: batch.batchId })).toMatchObject({
      counts: { rebuilt_batches: 1, files_written: 0 },
    });
    expect(await batch.outbox()).toEqual(before);
  });

  test('a fraction of a forint is never rounded: the whole units leave, the rest is ready', async () => {
    const batch = await preparedBatch(
      db,
      [
        { commissions: [{ amount: 150_000n, currency: 'HUF' }] },
        { commissions: [{ amount: 150_050n, currency: 'HUF' }] },
      ],
      { currency: 'HUF' },
    );
    expect(await batch.export()).toMatchObject({
      totals: { HUF: { exported: '3000.00', refused: '0.00' } },
    });
    const [file] = Object.values(await batch.outbox());
    expect((parse(file!) as string[][]).map((row) => row[1])).toEqual(['1500', '1500']);
    const left = (await batch.commissions()).filter((one) => one.payout_id === null);
    expect(left).toMatchObject([{ amount: 50n, status: 'ready_for_payment' }]);
  });

  test('a fraction in a batch that was approved before Payrun paid whole units is refused, never rounded', async () => {
    const batch = await preparedBatch(db, [{ commissions: [{ amount: 150_000n, currency: 'HUF' }] }], {
      currency: 'HUF',
    });
    await db.sql
      .updateTable('payout')
      .set({ amount: 150_050n })
      .where('batch_id', '=', batch.batchId)
      .execute();
    await expect(exportUnaudited(batch)).resolves.toMatchObject({
      exitCode: 3,
      totals: { HUF: { exported: '0.00', refused: '1500.50' } },
    });
  });

  test('when none is left, there is no file and the batch is settled', async () => {
    const batch = await preparedBatch(db, [{ affiliate: { payout_destination: '+cmd@example.com' } }]);
    expect(await batch.export()).toMatchObject({
      counts: { exported_payouts: 0, refused_payouts: 1, files_written: 0 },
    });
    expect(await batch.outbox()).toEqual({});
    expect(await batch.batches()).toMatchObject([{ status: 'settled', export_files: [] }]);
    expect(await batch.export({ batchId: batch.batchId })).toMatchObject({ counts: { files_written: 0 } });
  });
});
