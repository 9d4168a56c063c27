import { describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { executeRun } from '../../src/runs/run.ts';
import { testDatabase } from '../support/database.ts';
import { failing, gate, nothing, scene, spec, testContext } from './fixture.ts';

const { db, url } = await testDatabase();

describe('identity', () => {
  const slot = new Date('2020-03-02T01:00:00Z');

  test('a slot that was done is skipped, and a slot that failed gets another attempt', async () => {
    const { run, history } = await scene(db);
    await expect(run({ slot }, failing)).rejects.toMatchObject({ code: 'file-refused' });
    expect(await run({ slot }, async () => nothing)).toMatchObject({ status: 'done' });
    const again = await run({ slot }, failing);
    expect(again).toMatchObject({ status: 'skipped', exitCode: 0 });
    expect((await history()).map(({ attempt, status }) => [attempt, status])).toEqual([
      [2, 'done'],
      [1, 'failed'],
    ]);
  });

  test('by hand the same parameters run again as a new attempt, and other parameters as another run', async () => {
    const { run, history } = await scene(db);
    await run({ parameters: { a: 1, b: 2 } }, async () => nothing);
    await run({ parameters: { b: 2, a: 1 } }, async () => nothing);
    await run({ parameters: { a: 1, b: 3 } }, async () => nothing);
    expect((await history()).map(({ attempt }) => attempt).sort()).toEqual([1, 1, 2]);
  });

  test('accounts do not stand in each other’s way', async () => {
    const [one, two] = [await scene(db), await scene(db)];
    const { passed, open } = gate();
    const first = one.run({ slot }, async () => {
      expect(await two.run({ slot }, async () => nothing)).toMatchObject({ status: 'done' });
      open();
      return nothing;
    });
    await passed;
    expect(await first).toMatchObject({ status: 'done' });
  });
});

describe('overlap', () => {
  test('another run of the same job is refused with exit code 4 while one is under way', async () => {
    const { run } = await scene(db);
    const first = run({ parameters: { n: 1 } }, async () => {
      const second = run({ parameters: { n: 2 } }, async () => nothing);
      await expect(second).rejects.toMatchObject({ code: 'already-running', exitCode: 4 });
      return nothing;
    });
    expect(await first).toMatchObject({ status: 'done' });
  });

  test('imports of two files may overlap, of the same file not', async () => {
    const { run } = await scene(db);
    const first = run({ job: 'import-file', parameters: { file: 1 } }, async () => {
      const same = run({ job: 'import-file', parameters: { file: 1 } }, async () => nothing);
      await expect(same).rejects.toMatchObject({ code: 'already-running' });
      return run({ job: 'import-file', parameters: { file: 2 } }, async () => nothing).then(() => nothing);
    });
    expect(await first).toMatchObject({ status: 'done' });
  });

  test('of two different runs of a job that begin at the same moment, one is refused', async () => {
    const { context, account } = await scene(db);
    const other = testContext(await connect(url));
    const { passed, open } = gate();
    const begin = (one: typeof context, n: number) =>
      executeRun(one, account, spec({ parameters: { n } }), () => passed.then(() => nothing));
    const runs = await meeting(() => [begin(context, 1), begin(other, 2)]);
    await expect(Promise.race(runs)).rejects.toMatchObject({ code: 'already-running' });
    open();
    const settled = await Promise.allSettled(runs);
    await other.db.close();
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

/** Begins what `begin` begins, holding all inserts into `run` back until two sessions wait for one another's locks. */
function meeting<T>(begin: () => Promise<T>[]): Promise<Promise<T>[]> {
  return db.transaction(async ({ client }) => {
    await client.query('lock table run in share mode');
    const begun = begin();
    for (const promise of begun) promise.catch(() => {});
    for (let waiting = 0; waiting < begun.length; ) {
      const found = await db.session((watch) =>
        watch.client.query(
          "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        ),
      );
      waiting = found.rowCount ?? 0;
    }
    return begun;
  });
}
