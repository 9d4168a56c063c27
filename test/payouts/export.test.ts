import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cancelPayouts, exportPayouts, markPayoutPaid } from '../../src/payouts/payout.ts';
import { testDatabase } from '../support/database.ts';
import { today } from '../support/world.ts';
import { preparedBatch, reportOf } from './batch-fixture.ts';

const { db } = await testDatabase();

const three = [
  {
    affiliate: { payout_destination: 'ann@example.com' },
    commissions: [{ amount: 1_000n }, { amount: 2_550n }],
  },
  { affiliate: { payout_destination: 'bob@example.com' }, commissions: [{ amount: 5n }] },
  { affiliate: { payout_destination: 'cho@example.com' }, commissions: [{ amount: 700n }] },
];

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
    await addPayouts(batch.world.accountId, 10_001 - 3);
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

  test('a fraction of a forint is never rounded: that payout stays out', async () => {
    const batch = await preparedBatch(
      db,
      [
        { commissions: [{ amount: 150_000n, currency: 'HUF' }] },
        { commissions: [{ amount: 150_050n, currency: 'HUF' }] },
      ],
      { currency: 'HUF' },
    );
    expect(await batch.export()).toMatchObject({
      exitCode: 3,
      totals: { HUF: { exported: '1500.00', refused: '1500.50' } },
    });
    const [file] = Object.values(await batch.outbox());
    expect((parse(file!) as string[][]).map((row) => row[1])).toEqual(['1500']);
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

describe('exporting again', () => {
  test('gives the same bytes, whatever has happened to payouts, affiliates and programme since', async () => {
    const batch = await preparedBatch(db, three);
    await batch.export();
    const before = await batch.outbox();
    const [first] = await batch.payouts();
    await markPayoutPaid(batch.work(), { payoutId: first!.id, reference: 'T-1', by: 'Bob' });
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
    const work = batch.work();
    const killed = {
      ...work,
      transaction: (inner: Parameters<typeof work.transaction>[0]) =>
        work.transaction(async (session) => {
          await inner(session);
          throw new Error('killed');
        }),
    } as typeof work;
    await expect(exportPayouts(killed, {})).rejects.toThrow('killed');
    const before = await batch.outbox();
    expect(Object.keys(before)).toHaveLength(2);
    expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
    await writeFile(path.join(batch.workspace, 'outbox', `.${batch.name}.00aa.1.tmp`), 'half a fi');
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
    await addPayouts(batch.world.accountId, 20_000);
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
    await expect(batch.export()).rejects.toMatchObject({ code: 'file-unreadable' });
    expect(await batch.batches()).toMatchObject([{ status: 'approved' }]);
  });
});

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
      await markPayoutPaid(batch.work(), { payoutId: payout.id, reference: payout.reference, by: 'Bob' });
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
        expect(read).toEqual(names.map((text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)));
      }),
      { seed, numRuns: 40 },
    );
  });
});

/** More payouts of 1.00 and up in the account's only batch; they have no commissions, so the audit must not look. */
async function addPayouts(accountId: number, count: number): Promise<void> {
  await db.session(({ client }) =>
    client.query(
      `insert into payout (account_id, id, batch_id, program_id, affiliate_id, reference, amount, currency, method,
         destination, payee_name, lines, status, status_at, status_run_id)
       select account_id, gen_random_uuid(), batch_id, program_id, affiliate_id, upper(lpad(to_hex(i), 12, 'Z')), 100 + i,
         currency, method, 'p' || i || '@example.com', payee_name, lines, status, status_at, status_run_id
       from generate_series(1, $2) i, lateral (select * from payout where account_id = $1 order by id limit 1) p`,
      [accountId, count],
    ),
  );
}

/** Exports without the audit at the end. */
function exportUnaudited(batch: Awaited<ReturnType<typeof preparedBatch>>, batchId?: string) {
  const work = batch.work();
  return exportPayouts({ ...work, transaction: (inner) => db.transaction(inner) }, { batchId });
}
