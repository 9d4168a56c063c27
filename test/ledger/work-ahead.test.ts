import { describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { newId, newIdPrefix } from '../../src/ids.ts';
import { importFile } from '../../src/imports/import.ts';
import { keepPriced, type PricedBatch } from '../../src/ledger/priced.ts';
import { programTerms, recordPriced } from '../../src/ledger/record.ts';
import { createStage } from '../../src/ledger/stage.ts';
import { StageWriter } from '../../src/ledger/stage-writer.ts';
import { WorkAhead } from '../../src/ledger/work-ahead.ts';
import { faultOf } from '../../src/runs/fault.ts';
import { executeRun } from '../../src/runs/run.ts';
import { audited, booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';

import { waitsForLock } from '../support/locks.ts';
import { today } from '../support/world.ts';
import { deskWithTwo, earned, header, ordinarySale } from './selling.ts';

const { db, url } = await testDatabase();

const rows = Array.from({ length: 12_000 }, (_, n) => {
  const day = String((n % 28) + 1).padStart(2, '0');
  return `s-${n * 7919},${n % 3 ? 'ann' : 'Bob'},${n}.5${n % 10},USD,2026-01-${day},p-${n % 40}`;
});
const fileOf = (lines: string[]) => `${[`${header},product_ids`, ...lines].join('\n')}\n`;
const program = { incentives: [{ ref: 'odd', percent: '33.3333', product_ids: ['p-1', 'p-21'] }] };

async function priced(): Promise<number> {
  const found = await db.session(({ client }) =>
    client.query<{ rows: number }>(
      'select ((select count(*) from priced_sale) + (select count(*) from priced_sum) + (select count(*) from priced_customer))::integer as rows',
    ),
  );
  return found.rows[0]!.rows;
}

/** Starts `work` while nobody can write priced sales, and calls `then` once somebody waits to. */
async function whileHeldUp<T>(work: () => Promise<T>, then: () => Promise<unknown>): Promise<T> {
  const ended = await db.transaction(async ({ client }) => {
    await client.query('lock table priced_sale in share row exclusive mode');
    const working = work();
    working.catch(() => {});
    await waitsForLock(db, working);
    await then();
    return { working };
  });
  return ended.working;
}

describe('a file of several batches, priced by one connection while another records', () => {
  test('gives what the same rows give in files of one batch each', async () => {
    const together = await deskWithTwo(db, { program });
    const { counts } = await together.land('sales', fileOf(rows));
    expect(counts).toMatchObject({ rows: rows.length, recorded: rows.length });
    const apart = await deskWithTwo(db, { program });
    for (let at = 0; at < rows.length; at += 4_000)
      await apart.land('sales', fileOf(rows.slice(at, at + 4_000)));
    await db.session(({ client }) => client.query('analyze conversion, commission'));
    expect(await earned(together)).toEqual(await earned(apart));
    expect(await audited(together.world)).toEqual([]);
    expect(await priced()).toBe(0);
  });

  test('leaves no priced sales behind: not after a rehearsal, not after a fault in its last line', async () => {
    const desk = await deskWithTwo(db, { program });
    const { context, account } = desk.work();
    const file = await desk.put('many.csv', fileOf(rows));
    const spec = { job: 'import-file', parameters: {}, asOf: today, dryRun: true };
    const rehearsed = await executeRun(context, account, spec, (work) =>
      importFile(work, { kind: 'sales', file }),
    );
    expect(rehearsed).toMatchObject({ outcome: { counts: { recorded: rows.length } } });
    expect(await priced()).toBe(0);
    await expect(desk.land('sales', `${fileOf(rows)}"never closed`)).rejects.toMatchObject({
      code: 'file-refused',
    });
    expect([(await booked(desk.world)).size, await priced()]).toEqual([0, 0]);
  });

  test('keeps nothing when the second connection is lost, and lands when it is started again', async () => {
    const desk = await deskWithTwo(db, { program });
    const lost = whileHeldUp(
      () => desk.land('sales', fileOf(rows)),
      () =>
        db.session(({ client }) =>
          client.query(`select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`),
        ),
    );
    await expect(lost).rejects.toMatchObject({ code: 'database-unreachable' });
    expect((await booked(desk.world)).size).toBe(0);
    expect((await desk.land('sales', fileOf(rows))).counts.recorded).toBe(rows.length);
    expect(await audited(desk.world)).toEqual([]);
    expect(await priced()).toBe(0);
  });

  test('keeps nothing when it is interrupted meanwhile', async () => {
    const desk = await deskWithTwo(db, { program });
    const stop = new AbortController();
    const stoppable = await connect(url, { signal: stop.signal });
    const work = desk.work({ db: stoppable, signal: stop.signal });
    const file = await desk.put('many.csv', fileOf(rows));
    const cause = await whileHeldUp(
      () => importFile(work, { kind: 'sales', file }),
      async () => stop.abort(),
    ).catch((fault: unknown) => fault);
    expect(faultOf(cause, stop.signal)).toMatchObject({ code: 'interrupted' });
    await stoppable.close();
    expect((await booked(desk.world)).size).toBe(0);
    expect((await desk.land('sales', fileOf(rows))).counts.recorded).toBe(rows.length);
    expect(await priced()).toBe(0);
  });

  test('leaves no priced sales behind when the server looks over the table as the import ends', async () => {
    const desk = await deskWithTwo(db, { program });
    const landed = await db.transaction(async ({ client }) => {
      await client.query('analyze priced_sale');
      const landing = desk.land('sales', fileOf(rows));
      landing.catch(() => {});
      await waitsForLock(db, landing);
      return { landing };
    });
    expect((await landed.landing).counts.recorded).toBe(rows.length);
    expect(await priced()).toBe(0);
  });

  test('two accounts at the same moment do not come into each other’s way', async () => {
    const [one, other] = [await deskWithTwo(db, { program }), await deskWithTwo(db, { program })];
    const both = await whileHeldUp(
      () => Promise.all([one.land('sales', fileOf(rows)), other.land('sales', fileOf(rows.slice(0, 6_000)))]),
      async () => {},
    );
    expect(both.map(({ counts }) => counts.recorded)).toEqual([rows.length, 6_000]);
    expect(await audited(one.world)).toEqual([]);
    expect(await priced()).toBe(0);
  });

  test('does not lose what is priced to another account’s import that ends before it is recorded', async () => {
    const [one, other] = [await deskWithTwo(db), await deskWithTwo(db)];
    const { accountId, runId, programId } = one.world;
    const ahead = new WorkAhead(db);
    const recording = db.transaction(
      async (session) => {
        await keepPriced(session);
        const writer = new StageWriter(newIdPrefix(today));
        writer.add({ n: 1, line: 2, externalId: 's-1', ...ordinarySale });
        const batch = {
          program: await programTerms(session, accountId, programId),
          importId: newId(today),
          hasCustomers: false,
        };
        const ready = await ahead.take(accountId, batch, writer.take(), 'new');
        await other.land('sales', fileOf(rows.slice(0, 6_000)));
        await createStage(session);
        return recordPriced(session, { accountId, runId, now: today }, batch, ready as PricedBatch);
      },
      { rollback: true },
    );
    expect(await recording.finally(() => ahead.end().then(() => ahead.tidy()))).toBe(1);
    expect(await priced()).toBe(0);
  });
});
