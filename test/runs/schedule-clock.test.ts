import { expect, test } from 'vitest';
import type { JobConfig } from '../../src/config.ts';
import { dueSlots } from '../../src/runs/due.ts';
import { listRuns } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import { drawUp } from '../../src/runs/timetable.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { failing, jobsOf, nothing, spec, testContext } from './fixture.ts';

const { db } = await testDatabase();
const day = 86_400_000;
const jobs = jobsOf({ night: async () => nothing });

/** A job of every midnight in UTC, and the timetable that a scheduler whose clock stands at `now` has of it. */
async function scene(missed: JobConfig['missed'], now: Date) {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  const config = {
    accounts: [{ ref: world.accountRef, name: 'Acme', programs: [], sources: [] }],
    jobs: { night: { cron: '0 0 * * *', timezone: 'UTC', missed } },
  };
  const context = testContext(db, { clock: () => now, config });
  const timetable = async () => (await drawUp(context, jobs))[0]!;
  const run = (slot: string, work: () => Promise<typeof nothing> = async () => nothing) =>
    executeRun(context, account, spec({ job: 'night', slot: new Date(`${slot}T00:00:00Z`) }), work);
  /** A slot whose runner was killed in the middle of it. */
  const lose = async (slot: string) => {
    await expect(run(slot, failing)).rejects.toThrow();
    await db.sql
      .updateTable('run')
      .set({ status: 'lost' })
      .where('account_id', '=', account.id)
      .where('slot', '=', new Date(`${slot}T00:00:00Z`))
      .execute();
  };
  const due = async (table: Awaited<ReturnType<typeof timetable>>) =>
    (await dueSlots(context, table)).map((slot) => slot.toISOString().slice(0, 10));
  return { world, account, context, timetable, run, lose, due };
}

const dayOf = (date: Date) => date.toISOString().slice(0, 10);

test('a slot that was run under a clock 400 days ahead does not count as done, and the schedule goes on', async () => {
  const { timetable, run, due } = await scene('all', new Date('2020-03-06T09:00:00Z'));
  const ahead = dayOf(new Date(Date.now() + 400 * day));
  await run('2020-03-03');
  await run(ahead);
  expect(await due(await timetable())).toEqual(['2020-03-04', '2020-03-05', '2020-03-06']);
  expect(await run(ahead)).toMatchObject({ status: 'done' });
  expect(await run('2020-03-03')).toMatchObject({ status: 'skipped' });
});

test('a clock that is ahead of the database’s runs no slot before it has come by the latter, and says so once', async () => {
  const { context, timetable, due, account } = await scene('all', new Date(Date.now() + 400 * day));
  const yesterday = dayOf(new Date(Date.now() - day));
  const before = testContext(db, { clock: () => new Date(), config: context.config });
  const slot = new Date(`${yesterday}T00:00:00Z`);
  await executeRun(before, account, spec({ job: 'night', slot }), async () => nothing);
  const table = await timetable();
  expect(await due(table)).toEqual([dayOf(new Date())]);
  expect(await due(table)).toEqual([]);
  const said = context.lines.filter((line) => line.includes("ahead of the database's"));
  expect(said).toHaveLength(1);
  expect(await listRuns(db, account.id, { job: 'night', limit: 9 })).toHaveLength(1);
});

test.each<[JobConfig['missed'], string[]]>([
  ['all', ['2020-03-03', '2020-03-06']],
  ['latest', ['2020-03-06']],
  ['none', []],
])(
  'with "%s", slots that other runners lost are made up for by a runner that goes on: %s',
  async (missed, expected) => {
    const { timetable, run, lose, due, context } = await scene(missed, new Date('2020-03-06T09:00:00Z'));
    for (const slot of ['2020-03-02', '2020-03-04', '2020-03-05']) await run(slot);
    const table = await timetable();
    expect(await due(table)).toEqual(missed === 'none' ? [] : ['2020-03-06']);
    await lose('2020-03-03');
    await lose('2020-03-06');
    expect(await due(table)).toEqual(expected);
    const said = context.lines.filter((line) => line.includes('not made up for'));
    expect(said).toHaveLength(missed === 'none' ? 1 : 0);
  },
);

test('a slot whose runner is alive is not taken for lost', async () => {
  const { timetable, run, due } = await scene('all', new Date('2020-03-06T09:00:00Z'));
  await run('2020-03-05');
  const table = await timetable();
  expect(await due(table)).toEqual(['2020-03-06']);
  await run('2020-03-06', async () => {
    expect(await due(table)).toEqual([]);
    return nothing;
  });
});

test('slots older than 31 days are not made up for', async () => {
  const { timetable, run, lose, due } = await scene('all', new Date('2020-04-10T09:00:00Z'));
  await lose('2020-03-01');
  await lose('2020-04-05');
  await run('2020-04-10');
  expect(await due(await timetable())).toEqual(['2020-04-05']);
});
