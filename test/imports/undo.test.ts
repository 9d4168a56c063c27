import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { readId } from '../../src/ids.ts';
import { undoImport } from '../../src/imports/import.ts';
import { retryParkedEvents } from '../../src/imports/logs/parked.ts';
import { auditBooks } from '../../src/ledger/audit.ts';
import { undoImport as undo } from '../../src/ledger/undo.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { waitsForLock } from '../support/locks.ts';
import { deskOfAnn } from './ann.ts';

const { db, url } = await testDatabase();

const choice = { by: 'Ada', reason: 'the wrong file' };
const header = 'external_id,affiliate,amount,currency,occurred_at';

async function imported(desk: Desk): Promise<string> {
  const { report } = await desk.land('sales', `${header}\nS,ann,100.00,USD,2026-01-10T10:00:00Z\n`);
  return readId(report.import)!.id;
}

/** The import of a payment that was parked, because its customer was known only afterwards. */
async function parkedThenKnown(desk: Desk): Promise<string> {
  const payment = {
    event_name: 'paid',
    event_type: 'conversion',
    customer_id: 'c-1',
    external_event_id: 'e-1',
    sale_amount: 50,
    sale_amount_currency: 'USD',
  };
  const { report } = await desk.land('events', `${JSON.stringify(payment)}\n`);
  await desk.land('referrals', 'affiliate,customer_id\nann,c-1\n');
  return readId(report.import)!.id;
}

function counted(desk: Desk) {
  return db.sql
    .selectFrom('conversion')
    .select(['external_id', 'taken_back'])
    .where('account_id', '=', desk.world.accountId)
    .execute();
}

describe('undoing an import', () => {
  test('says what it had brought, whom it concerns, and what a person should know', async () => {
    const desk = await deskOfAnn(db);
    const importId = await imported(desk);
    const { counts, totals, report } = await undoImport(desk.work(), { importId, ...choice });
    expect(counts).toMatchObject({ sales: 1, refunds: 0, waiting_again: 0 });
    expect(totals).toEqual({
      USD: {
        sales: '100.00',
        refunds: '0.00',
        unpaid: '20.00',
        in_draft: '0.00',
        in_payout: '0.00',
        paid: '0.00',
        booked: '-20.00',
      },
    });
    expect(report).toMatchObject({
      by: 'Ada',
      reason: 'the wrong file',
      affiliates: [{ affiliate: 'ann', currency: 'USD', unpaid: '20.00', paid: '0.00' }],
    });
    expect(report.notes).toContain('The file, and the external ids in it, can be imported again as new.');
  });

  test('is shown and undone again by a rehearsal, which keeps nothing', async () => {
    const desk = await deskOfAnn(db);
    const importId = await imported(desk);
    const rehearsed = await undoImport(desk.work({ dryRun: true }), { importId, ...choice });
    expect(await counted(desk)).toEqual([{ external_id: 'S', taken_back: null }]);
    const done = await undoImport(desk.work(), { importId, ...choice });
    expect(done).toEqual(rehearsed);
  });

  test('is refused while the run that imported it is under way, or the one that had this for a step', async () => {
    const desk = await deskOfAnn(db);
    const importId = await imported(desk);
    const runner = `payrun run ${importId}`;
    const alive = new pg.Client({ connectionString: url, application_name: runner });
    await alive.connect();
    const night = await desk.world.run('nightly');
    const running = (id: string) =>
      db.sql
        .updateTable('run')
        .set({ runner })
        .where('account_id', '=', desk.world.accountId)
        .where('id', '=', id)
        .execute();
    try {
      await running(desk.world.runId);
      await expect(undoImport(desk.work(), { importId, ...choice })).rejects.toMatchObject({
        code: 'already-running',
      });
      await running(night);
      await db.sql
        .updateTable('run')
        .set({ runner: 'gone', status: 'done', parent_id: night })
        .where('id', '=', desk.world.runId)
        .execute();
      await expect(undoImport(desk.work(), { importId, ...choice })).rejects.toMatchObject({
        code: 'already-running',
      });
    } finally {
      await alive.end();
    }
    expect(await counted(desk)).toEqual([{ external_id: 'S', taken_back: null }]);
  });

  test('waits for a try at its parked lines, and takes back what that has recorded', async () => {
    const desk = await deskOfAnn(db);
    const importId = await parkedThenKnown(desk);
    const waiting = await db.transaction(async (session) => {
      await retryParkedEvents(session, desk.work(), desk.world.mover);
      const undoing = undoImport(desk.work(), { importId, ...choice });
      undoing.catch(() => {});
      await waitsForLock(db, undoing);
      return { undoing };
    });
    expect((await waiting.undoing).counts).toMatchObject({ sales: 1, parked: 0 });
    expect((await counted(desk)).map((one) => one.taken_back)).toEqual(['the import was undone']);
    expect(await db.session((session) => auditBooks(session, desk.world.accountId))).toEqual([]);
  });

  test('is waited for by a try at its parked lines, which then finds none', async () => {
    const desk = await deskOfAnn(db);
    const importId = await parkedThenKnown(desk);
    const waiting = await db.transaction(async (session) => {
      await undo(session, desk.world.mover, { importId, ...choice });
      const trying = db.transaction((other) => retryParkedEvents(other, desk.work(), desk.world.mover));
      trying.catch(() => {});
      await waitsForLock(db, trying);
      return { trying };
    });
    expect((await waiting.trying).counts).toMatchObject({ rows: 0 });
    expect(await counted(desk)).toEqual([]);
  });
});
