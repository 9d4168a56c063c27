import { describe, expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { connect } from '../../src/db/connect.ts';
import { newId, newIdPrefix } from '../../src/ids.ts';
import { importFile } from '../../src/imports/import.ts';
import type { Verdicts } from '../../src/ledger/record/verdicts.ts';
import { postTally, programTerms, record } from '../../src/ledger/record.ts';
import { createStage, type StagedSale } from '../../src/ledger/stage.ts';
import { StageLoader } from '../../src/ledger/stage-loader.ts';
import { StageWriter } from '../../src/ledger/stage-writer.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { today, type World } from '../support/world.ts';
import { deskWithTwo, header, ordinarySale } from './selling.ts';

const { db, url } = await testDatabase();

/** Records sales in the caller's transaction, without the courtesy by which imports of one account wait for each other. */
async function recordIn(session: Session, world: World, sales: Partial<StagedSale>[]): Promise<Verdicts> {
  await createStage(session);
  const writer = new StageWriter(newIdPrefix(today));
  for (const [index, sale] of sales.entries())
    writer.add({ n: index + 1, line: index + 2, ...ordinarySale, ...sale });
  const isPlain = await new StageLoader(session, world.accountId).load(writer.take());
  const importId = newId(today);
  await session.sql
    .insertInto('import')
    .values({
      account_id: world.accountId,
      id: importId,
      run_id: world.runId,
      source_id: null,
      kind: 'sales',
      file: 'x.csv',
      sha256: '',
      rows: sales.length,
      counts: '{}',
      totals: '{}',
      rejects_file: null,
      finished_at: today,
    })
    .execute();
  const batch = {
    program: await programTerms(session, world.accountId, world.programId),
    importId,
    hasCustomers: sales.some((sale) => sale.customerId !== undefined),
  };
  const verdicts = await record(session, world.mover, batch, isPlain);
  await postTally(session, world.mover, batch);
  return verdicts;
}

const named = (...ids: string[]) => ids.map((externalId) => ({ externalId }));

/** Resolves once a session of this database waits for another one's row. */
async function someoneWaits(): Promise<void> {
  for (;;) {
    const waiting = await db.session(({ client }) =>
      client.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      ),
    );
    if (waiting.rowCount) return;
  }
}

describe('two importers at the same moment, on two connections', () => {
  test('of overlapping rows: each sale is one row, the other importer sees duplicates, and the books balance', async () => {
    const { world } = await deskWithTwo(db);
    const other = await connect(url);
    let second: Promise<Verdicts> | undefined;
    const first = await db.transaction(async (session) => {
      const verdicts = await recordIn(session, world, named('s-1', 's-2', 's-3'));
      second = other.transaction((there) => recordIn(there, world, named('s-0', 's-3', 's-2', 's-4')));
      await someoneWaits();
      return verdicts;
    });
    expect(first).toMatchObject({ recorded: 3, duplicates: 0 });
    expect(await second).toMatchObject({ recorded: 2, duplicates: 2, conflicts: 0 });
    expect([...(await booked(world)).keys()]).toEqual(['s-0', 's-1', 's-2', 's-3', 's-4']);
    expect(await audited(world)).toEqual([]);
    await other.close();
  });

  test('with other facts for the same id: the one that commits counts, the other is a conflict', async () => {
    const { world } = await deskWithTwo(db);
    const other = await connect(url);
    let second: Promise<Verdicts> | undefined;
    await db.transaction(async (session) => {
      await recordIn(session, world, named('s-1'));
      second = other.transaction((there) => recordIn(there, world, [{ externalId: 's-1', amount: 1n }]));
      await someoneWaits();
    });
    expect(await second).toMatchObject({ recorded: 0, conflicts: 1 });
    expect((await booked(world)).get('s-1')?.amount).toBe(10_000n);
    await other.close();
  });

  test('of which the first gives up: the second records everything', async () => {
    const { world } = await deskWithTwo(db);
    const other = await connect(url);
    let second: Promise<Verdicts> | undefined;
    const first = db.transaction(async (session) => {
      await recordIn(session, world, named('s-1', 's-2'));
      second = other.transaction((there) => recordIn(there, world, named('s-1', 's-2')));
      await someoneWaits();
      throw new Error('killed');
    });
    await expect(first).rejects.toThrow('killed');
    expect(await second).toMatchObject({ recorded: 2, duplicates: 0 });
    expect(await audited(world)).toEqual([]);
    await other.close();
  });

  test('that meet the same new customer create one referral', async () => {
    const { world } = await deskWithTwo(db);
    const other = await connect(url);
    let second: Promise<Verdicts> | undefined;
    await db.transaction(async (session) => {
      await recordIn(session, world, [{ externalId: 's-1', customerId: 'c1' }]);
      second = other.transaction((there) =>
        recordIn(there, world, [{ externalId: 's-2', customerId: 'c1' }]),
      );
      await someoneWaits();
    });
    expect(await second).toMatchObject({ recorded: 1 });
    expect(await referrals(world)).toMatchObject([{ customer_id: 'c1', status: 'customer' }]);
    const sold = [...(await booked(world)).values()].map((sale) => sale.referral_id);
    expect(new Set(sold).size).toBe(1);
    await other.close();
  });

  test('of whole files, each with its own order of rows: nothing is lost, doubled or stuck', async () => {
    const desk = await deskWithTwo(db);
    const row = (n: number) => `s-${n},${n % 2 ? 'ann' : 'bob'},${n}.00,USD,2026-01-10,c${n % 7}`;
    const numbers = Array.from({ length: 400 }, (_, n) => n + 1);
    const text = (rows: number[]) => `${[`${header},customer_id`, ...rows.map(row)].join('\n')}\n`;
    const files = [numbers.slice(0, 300), numbers.slice(100).reverse()];
    const databases = [await connect(url), await connect(url)];
    const landed = await Promise.all(
      files.map(async (rows, index) => {
        const file = await desk.put(`file-${index}.csv`, text(rows));
        return importFile(desk.work({ db: databases[index]! }), { kind: 'sales', file });
      }),
    );
    const sum = (name: string) => landed.reduce((total, { counts }) => total + counts[name]!, 0);
    expect([sum('rows'), sum('recorded'), sum('duplicates')]).toEqual([600, 400, 200]);
    expect((await booked(desk.world)).size).toBe(400);
    expect(await audited(desk.world)).toEqual([]);
    for (const one of databases) await one.close();
  });
});
