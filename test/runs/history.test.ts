import { expect, test } from 'vitest';
import { newId, showId } from '../../src/ids.ts';
import { listRuns, showRun } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import { testDatabase } from '../support/database.ts';
import { today, World } from '../support/world.ts';
import { nothing, spec, testContext } from './fixture.ts';

const { db } = await testDatabase();

test('runs are listed newest first, up to the limit, of one job if asked, and of no other account', async () => {
  const [world, other] = [await World.create(db), await World.create(db)];
  const account = { id: world.accountId, ref: world.accountRef };
  for (const [minute, job] of ['a-job', 'b-job', 'a-job'].entries()) {
    const context = testContext(db, { clock: () => new Date(today.getTime() + (minute + 1) * 60_000) });
    await executeRun(context, account, spec({ job, parameters: { minute } }), async () => nothing);
  }
  const list = async (limit: number, job?: string) =>
    (await listRuns(db, world.accountId, { limit, job })).map((run) => [run.job, run.parameters.minute]);
  expect(await list(3)).toEqual([
    ['a-job', 2],
    ['b-job', 1],
    ['a-job', 0],
  ]);
  expect(await list(1)).toEqual([['a-job', 2]]);
  expect(await list(9, 'b-job')).toEqual([['b-job', 1]]);
  expect((await listRuns(db, other.accountId, { limit: 9 })).map(({ job }) => job)).toEqual(['test']);
});

test('a run is shown by its id in either form, with its attempts and its imports', async () => {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  const first = await executeRun(testContext(db), account, spec(), async () => nothing);
  const second = await executeRun(testContext(db), account, spec(), async () => nothing);
  const importId = newId(today);
  await db.sql
    .insertInto('import')
    .values({
      account_id: world.accountId,
      id: importId,
      run_id: second.runId,
      source_id: null,
      kind: 'sales',
      file: 'a.csv',
      sha256: '',
      rows: 0,
      counts: '{}',
      totals: '{}',
      rejects_file: null,
      finished_at: today,
    })
    .execute();
  for (const id of [second.runId, showId('run', second.runId)]) {
    const history = await showRun(db, world.accountId, id);
    expect(history.run).toMatchObject({ id: second.runId, attempt: 2, status: 'done', live: false });
    expect(history.attempts.map((run) => run.id)).toEqual([first.runId]);
    expect(history.imports.map((row) => row.id)).toEqual([importId]);
  }
});

test('an id of something else is refused, and one that no run has is not found, also when another account has it', async () => {
  const [world, other] = [await World.create(db), await World.create(db)];
  const wrong = showRun(db, world.accountId, showId('payout', newId(today)));
  await expect(wrong).rejects.toMatchObject({ code: 'usage' });
  const foreign = showRun(db, world.accountId, other.runId);
  await expect(foreign).rejects.toMatchObject({ code: 'not-found' });
});
