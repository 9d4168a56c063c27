import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cancelPayouts, settleByHand } from '../../src/payouts/payout.ts';
import { harmless } from '../../src/spreadsheet.ts';
import { testDatabase } from '../support/database.ts';
import { preparedBatch, reportOf, three } from './batch-fixture.ts';

const { db } = await testDatabase();

describe('the report', () => {
  test('can be asked for in any state, changes nothing, and never stands in its own way', async () => {
    const batch = await preparedBatch(db, three, { payout_approval: 'manual' });
    const ask = (detail: boolean) => batch.export({ batchId: batch.batchId, format: 'report', detail });
    const first = reportOf(await ask(false)).files.map((file) => file.file);
    expect(first[0]).toMatch(new RegExp(`^outbox/${batch.name}\\.report-[0-9a-f]{8}\\.csv$`));
    expect(reportOf(await ask(false)).files.map((file) => file.state)).toEqual(
      Array(2).fill('already there, same bytes'),
    );
    await ask(true);
    expect(await batch.batches()).toMatchObject([{ status: 'draft', export_files: null }]);
    await cancelPayouts(batch.work(), { batchId: batch.batchId, reason: 'wrong minimum' });
    const canceled = reportOf(await ask(false)).files.map((file) => file.file);
    expect(canceled).not.toEqual(first);
    const text = (await batch.outbox())[canceled[0]!.replace('outbox/', '')]!;
    const rows = parse(text, { columns: true }) as Record<string, string>[];
    expect(rows.map((row) => [row.status, row.reason])).toEqual(Array(3).fill(['canceled', 'wrong minimum']));
  });

  test('in detail has one row a commission, and they sum to the payouts', async () => {
    const batch = await preparedBatch(db, three);
    const outcome = await batch.export({ batchId: batch.batchId, detail: true });
    const [{ rows, amount } = { rows: 0, amount: '' }] = reportOf(outcome).batches;
    expect({ rows, amount }).toEqual({ rows: 4, amount: '42.55' });
    const [file] = Object.values(await batch.outbox());
    const lines = parse(file!, { columns: true }) as Record<string, string>[];
    expect(lines.map((line) => line.amount).sort()).toEqual(['0.05', '10.00', '25.50', '7.00']);
    const payouts = await batch.payouts();
    for (const line of lines) {
      expect(payouts.map((payout) => payout.reference)).toContain(line.reference);
      expect(line).toMatchObject({
        sale_amount: '100.00',
        sale_currency: 'USD',
        rate_percent: '20',
        occurred_at: '2026-01-10T12:00:00Z',
      });
    }
  });

  test('is the export of every other method, the same bytes whatever becomes of the payouts', async () => {
    const batch = await preparedBatch(db, [
      { affiliate: { payout_method: 'wise' } },
      { affiliate: { payout_method: 'wise' } },
    ]);
    await batch.export();
    const before = await batch.outbox();
    expect(Object.keys(before)).toEqual([`${batch.name}.report.csv`, `${batch.name}.report.manifest.json`]);
    expect(await batch.batches()).toMatchObject([{ status: 'exported', export_format: 'report' }]);
    for (const payout of await batch.payouts())
      await settleByHand(batch.work(), {
        choice: { payouts: [payout.id] },
        outcome: 'paid',
        reference: payout.reference,
        by: 'Bob',
      });
    expect(await batch.batches()).toMatchObject([{ status: 'settled' }]);
    expect(await batch.export({ batchId: batch.batchId })).toMatchObject({
      counts: { rebuilt_batches: 1, files_written: 0 },
    });
    expect(await batch.outbox()).toEqual(before);
    await expect(batch.export({ batchId: batch.batchId, format: 'paypal' })).rejects.toMatchObject({
      code: 'usage',
    });
    await expect(
      batch.export({ batchId: batch.batchId, format: 'paypal', detail: true }),
    ).rejects.toMatchObject({ code: 'usage' });
  });

  test('whatever stands in names and references, a CSV reader gets it back, and no cell is a formula', async () => {
    const seed = 20260302;
    const piece = fc.oneof(
      fc.constantFrom('\t', '\n', '\r\n', '"', '\\', '\\N', '\\.', ',', "'", '=', ' ', '恵'),
      fc.string({ unit: 'binary' }),
    );
    const name = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('').replaceAll('\0', ''));
    await fc.assert(
      fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 4 }), async (names) => {
        const batch = await preparedBatch(
          db,
          names.map((text, index) => ({
            affiliate: { name: text, payout_method: 'manual' },
            commissions: [{ amount: BigInt(index + 1) }],
          })),
        );
        await batch.export();
        const [file] = Object.values(await batch.outbox());
        const rows = parse(file!, { columns: true, record_delimiter: '\n' }) as Record<string, string>[];
        const read = [...rows].sort((a, b) => Number(a.amount) - Number(b.amount)).map((row) => row.name!);
        expect(read).toEqual(names.map(harmless));
      }),
      { seed, numRuns: 40 },
    );
  });
});
