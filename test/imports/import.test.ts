import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import type { PayrunError } from '../../src/errors.ts';
import { readId } from '../../src/ids.ts';
import { importFile, readExpected } from '../../src/imports/import.ts';
import { takeTurn } from '../../src/imports/turn.ts';
import { faultOf } from '../../src/runs/fault.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { today } from '../support/world.ts';
import { deskOfAnn, filesIn, header, importsOf, three } from './ann.ts';

const minutesLater = (minutes: number) => new Date(today.getTime() + minutes * 60_000);

/** Two sales, none of which leaves anything open. */
const sound = three.replace(/.*nobody.*\n/, '');

const { db, url } = await testDatabase();
describe('an import', () => {
  test('is written down with its file, its counts and its money, and reported the same way', async () => {
    const desk = await deskOfAnn(db);
    const outcome = await desk.land('sales', three, { name: 'march.csv' });
    const sha256 = createHash('sha256').update(three).digest('hex');
    expect(outcome).toMatchObject({
      counts: { rows: 3, recorded: 2, rejected: 1 },
      totals: { USD: { sales: '200.00', commissions: '40.00' } },
      exitCode: 3,
      report: { file: path.join(desk.workspace, 'march.csv'), sha256, already_imported: null, warnings: [] },
    });
    const [stored] = await importsOf(desk);
    const id = readId(outcome.report.import)?.id;
    expect(stored).toMatchObject({
      id,
      kind: 'sales',
      file: 'march.csv',
      sha256,
      rows: 3,
      totals: outcome.totals,
      run_id: desk.world.runId,
    });
    expect([stored?.counts, stored?.rejects_file]).toMatchObject([
      { recorded: 2, rejected: 1 },
      outcome.report.rejects_file,
    ]);
    expect(await filesIn(desk, 'rejects')).toEqual([path.basename(outcome.report.rejects_file!)]);
    expect(await audited(desk.world)).toEqual([]);
  });

  test('of the same bytes as one that is being imported waits for it, and is then already imported', async () => {
    const desk = await deskOfAnn(db);
    const first = await desk.land('sales', sound, { name: 'march.csv' });
    const imported = db.sql.updateTable('import').where('account_id', '=', desk.world.accountId);
    // As long as it has another hash it stands for one that is not committed yet.
    await imported.set({ sha256: 'another' }).execute();
    const { second } = await db.transaction(async (session) => {
      await takeTurn(session, desk.work());
      const second = desk.land('sales', sound, { name: 'march.csv' });
      second.catch(() => {});
      await waitsForLock(db, second);
      await imported.set({ sha256: first.report.sha256 }).execute();
      return { second };
    });
    expect((await second).report.already_imported).toMatchObject({ import: first.report.import });
    expect(await importsOf(desk)).toHaveLength(1);
  });

  test('of the same bytes again is reported as already imported and does nothing, under whatever name', async () => {
    const desk = await deskOfAnn(db);
    const first = await desk.land('sales', sound, { name: 'march.csv' });
    const second = await desk.land('sales', sound, { name: 'copy of march.csv' });
    expect(second.report.already_imported).toEqual({ import: first.report.import, at: today.toISOString() });
    expect(second).toMatchObject({
      counts: { rows: 0, recorded: 0, duplicates: 0 },
      totals: {},
    });
    expect(second.exitCode ?? 0).toBe(0);
    const controlled = await desk.land('sales', sound, { expected: readExpected('9', [])! });
    expect(controlled.report.warnings).toEqual([
      'the control totals were not compared, since nothing was imported',
    ]);
    expect(await importsOf(desk)).toHaveLength(1);
    const elsewhere = await deskOfAnn(db);
    expect((await elsewhere.land('sales', sound)).counts.recorded).toBe(2);
  });

  test('of the same bytes is read again where it left rows open, and says what that changed', async () => {
    const desk = await deskOfAnn(db);
    const first = await desk.land('sales', three);
    const still = await desk.land('sales', three, { now: minutesLater(1) });
    expect(still).toMatchObject({
      counts: { rows: 3, recorded: 0, duplicates: 2, rejected: 1 },
      exitCode: 3,
      report: {
        already_imported: null,
        read_again: { import: first.report.import, at: today.toISOString(), why: 'it left 1 row open' },
      },
    });
    await desk.world.affiliate({ ref: 'nobody' });
    const after = await desk.land('sales', three, { now: minutesLater(2) });
    expect(after.counts).toMatchObject({ rows: 3, recorded: 1, duplicates: 2, rejected: 0 });
    expect(after.totals).toEqual({ USD: { sales: '100.00', commissions: '20.00' } });
    expect((await desk.land('sales', three)).report.already_imported).toMatchObject({
      import: after.report.import,
    });
    expect(await audited(desk.world)).toEqual([]);
  });

  test('of affiliates that were set back counts again: the latest file does', async () => {
    const desk = await deskOfAnn(db);
    const file = (status: string) => `ref,name,status\nann,Ann,${status}\n`;
    await desk.land('affiliates', file('paused'));
    await desk.land('affiliates', file('active'), { now: minutesLater(1) });
    const back = await desk.land('affiliates', file('paused'), { now: minutesLater(2) });
    expect(back).toMatchObject({
      counts: { updated: 1 },
      report: { read_again: { why: 'a later file of affiliates came after it' } },
    });
    expect(back.report.changes).toEqual(['affiliate ann: status active -> paused']);
    expect((await desk.land('affiliates', file('paused'))).report.already_imported).not.toBeNull();
  });

  test('of the same bytes with --again gives duplicates only, and the same rejects', async () => {
    const desk = await deskOfAnn(db);
    await desk.land('sales', three);
    const before = await booked(desk.world);
    const again = await desk.land('sales', three, { again: true });
    expect(again.counts).toMatchObject({ rows: 3, recorded: 0, duplicates: 2, rejected: 1 });
    expect(again.totals).toEqual({});
    expect(await booked(desk.world)).toEqual(before);
    expect(await filesIn(desk, 'rejects')).toHaveLength(2);
  });

  test('as a dry run says what would happen, and leaves nothing: no row, no file', async () => {
    const desk = await deskOfAnn(db);
    const files = async () =>
      (await readdir(desk.workspace, { recursive: true })).filter((name) => name !== 'rejects').sort();
    await desk.put('march.csv', three);
    const before = await files();
    const rehearsed = await desk.land('sales', three, { name: 'march.csv', dryRun: true });
    expect(rehearsed).toMatchObject({
      counts: { recorded: 2, rejected: 1 },
      totals: { USD: { sales: '200.00' } },
      report: { rejects_file: null },
    });
    expect(await files()).toEqual(before);
    expect([(await booked(desk.world)).size, (await importsOf(desk)).length]).toEqual([0, 0]);
    const real = await desk.land('sales', three, { name: 'march.csv' });
    expect([real.counts, real.totals]).toEqual([rehearsed.counts, rehearsed.totals]);
  });

  test('of a file that is not there, is a folder or has an unknown source is refused in words', async () => {
    const desk = await deskOfAnn(db, {
      sources: [
        { ref: 'offline', kind: 'sales_csv' },
        { ref: 'log', kind: 'affonso_events' },
      ],
    });
    const land = (file: string, source?: string) => importFile(desk.work(), { kind: 'sales', file, source });
    await expect(land(path.join(desk.workspace, 'no.csv'))).rejects.toMatchObject({
      code: 'file-unreadable',
    });
    await expect(land(desk.workspace)).rejects.toMatchObject({
      code: 'file-unreadable',
      message: expect.stringContaining('folder'),
    });
    const file = await desk.put('march.csv', three);
    await expect(land(file, 'ofline')).rejects.toMatchObject({
      code: 'usage',
      todo: expect.stringContaining('"offline"'),
    });
    await expect(land(file, 'log')).rejects.toMatchObject({ code: 'usage' });
    await db.sql.deleteFrom('source').where('account_id', '=', desk.world.accountId).execute();
    await expect(land(file, 'offline')).rejects.toMatchObject({ code: 'config-not-applied' });
    expect((await booked(desk.world)).size).toBe(0);
  });
});

describe('whole or not at all', () => {
  test('interrupted at any tick of its clock, a file lands whole or leaves nothing, and simply starts again', async () => {
    let interrupted = 0;
    for (let ticks = 1; ; ticks += 1) {
      const desk = await deskOfAnn(db);
      const file = await desk.put(
        'march.csv',
        `${three.replace(header, `${header},customer_id`).replaceAll(/(-10)\n/g, '$1,c1\n')}`,
      );
      const stop = new AbortController();
      const stoppable = await connect(url, { signal: stop.signal });
      const work = desk.work({ db: stoppable, signal: stop.signal });
      let left = ticks;
      work.context.clock = () => {
        left -= 1;
        if (left === 0) stop.abort();
        return today;
      };
      const landed = await importFile(work, { kind: 'sales', file }).catch((cause: PayrunError) => cause);
      await stoppable.close();
      if (landed instanceof Error) {
        interrupted += 1;
        expect(faultOf(landed, stop.signal)).toMatchObject({ code: 'interrupted' });
        expect([
          (await booked(desk.world)).size,
          (await referrals(desk.world)).length,
          (await importsOf(desk)).length,
        ]).toEqual([0, 0, 0]);
        expect(await filesIn(desk, 'rejects')).toEqual([]);
        expect((await importFile(desk.work(), { kind: 'sales', file })).counts).toMatchObject({
          recorded: 2,
        });
      }
      expect((await booked(desk.world)).size).toBe(2);
      expect(await audited(desk.world)).toEqual([]);
      if (left > 0) break;
    }
    expect(interrupted).toBeGreaterThan(2);
  });

  test('a file whose last row is refused leaves nothing of those before, nor a rejects file', async () => {
    const desk = await deskOfAnn(db);
    await expect(desk.land('sales', `${three}s-4,ann,1.0`)).rejects.toMatchObject({
      code: 'file-refused',
      place: { line: 5 },
    });
    await expect(desk.land('sales', `${three}s-4,"ann,1.00,USD,2026-01-10\n`)).rejects.toMatchObject({
      code: 'file-refused',
      place: { line: 5 },
    });
    expect([
      (await booked(desk.world)).size,
      (await importsOf(desk)).length,
      await filesIn(desk, 'rejects'),
    ]).toEqual([0, 0, []]);
  });

  test('books that would not balance undo the whole import', async () => {
    const desk = await deskOfAnn(db);
    await desk.land('sales', three);
    await db.sql
      .updateTable('posting')
      .set({ amount: 1n })
      .where('account_id', '=', desk.world.accountId)
      .execute();
    const next = desk.land(
      'sales',
      `${header}\ns-9,ann,1.00,USD,2026-01-10\ns-8,nobody,1.00,USD,2026-01-10\n`,
    );
    await expect(next).rejects.toMatchObject({ code: 'books-adrift' });
    expect([...(await booked(desk.world)).keys()]).toEqual(['s-1', 's-3']);
    expect(await filesIn(desk, 'rejects')).toHaveLength(1);
  });
});
