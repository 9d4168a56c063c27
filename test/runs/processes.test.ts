import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { showRun } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { exited, gate, nothing, spec, testContext } from './fixture.ts';
import type { RunnerOrder } from './runner.ts';

const { db, url } = await testDatabase();
const program = fileURLToPath(new URL('./runner.ts', import.meta.url));
const children: ChildProcessWithoutNullStreams[] = [];
const slot = '2020-03-02T01:00:00.000Z';

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Told {
  event: string;
  runId?: string;
  status?: string;
  code?: string;
}

/** A runner process that is ready and waits for the word `start`. */
async function startRunner(world: World, given: Partial<RunnerOrder> = {}) {
  const account = { id: world.accountId, ref: world.accountRef };
  const order: RunnerOrder = { url, account, programId: world.programId, name: 'by a process', ...given };
  const child = spawn(process.execPath, [program, JSON.stringify(order)]);
  children.push(child);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const hear = async (): Promise<Told> => {
    const line = await lines.next();
    return line.done ? { event: 'gone' } : JSON.parse(line.value);
  };
  const say = (word: string) => void child.stdin.write(`${word}\n`);
  expect(await hear()).toEqual({ event: 'ready' });
  return { child, hear, say };
}

/** A runner of the slot whose work is done but for its commit. */
async function runnerAtWork(world: World) {
  const runner = await startRunner(world, { slot });
  runner.say('start');
  const { runId } = await runner.hear();
  runner.say('work');
  expect(await runner.hear()).toEqual({ event: 'worked' });
  return { runner, runId: runId! };
}

/** Resolves once the server has noticed that no session of that name is left. */
async function sessionsGone(name: string): Promise<void> {
  for (let count = 1; count > 0; ) {
    const found = await db.session(({ client }) =>
      client.query('select from pg_stat_activity where application_name = $1', [name]),
    );
    count = found.rowCount ?? 0;
  }
}

async function runsOf(world: World, job = 'a-job') {
  return db.sql
    .selectFrom('run')
    .select(['id', 'attempt', 'status', 'counts'])
    .where('account_id', '=', world.accountId)
    .where('job', '=', job)
    .orderBy('attempt')
    .execute();
}

async function programName(world: World): Promise<string> {
  const row = await db.sql
    .selectFrom('program')
    .select('name')
    .where('account_id', '=', world.accountId)
    .where('id', '=', world.programId)
    .executeTakeFirstOrThrow();
  return row.name;
}

test('a slot that two processes begin at the same moment is run by one of them, once', async () => {
  const world = await World.create(db);
  const runners = await Promise.all([startRunner(world, { slot }), startRunner(world, { slot })]);
  for (const runner of runners) runner.say('start');
  const heard = await Promise.all(runners.map(({ hear }) => hear()));
  const winner = runners[heard.findIndex(({ event }) => event === 'began')]!;
  expect(heard).toContainEqual({ event: 'raised', code: 'already-running' });
  winner.say('work');
  expect(await winner.hear()).toEqual({ event: 'worked' });
  winner.say('commit');
  expect(await winner.hear()).toEqual({ event: 'ended', status: 'done' });
  const third = await startRunner(world, { slot });
  third.say('start');
  expect(await third.hear()).toEqual({ event: 'ended', status: 'skipped' });
  expect(await runsOf(world)).toMatchObject([{ attempt: 1, status: 'done', counts: { renamed: 1 } }]);
});

test('a slot begun at the same moment from two connections is run once', async () => {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  const other = await connect(url);
  let began = 0;
  const { passed, open } = gate();
  const work = async () => {
    began += 1;
    await passed;
    return nothing;
  };
  const runs = [db, other].map((one) =>
    executeRun(testContext(one), account, spec({ slot: new Date(slot) }), work),
  );
  await expect(Promise.race(runs)).rejects.toMatchObject({ code: 'already-running', exitCode: 4 });
  open();
  const settled = await Promise.allSettled(runs);
  await other.close();
  expect(began).toBe(1);
  expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await runsOf(world)).toMatchObject([{ attempt: 1, status: 'done' }]);
});

test('the run of a killed runner is taken over at once, though its lease has not ended', async () => {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  const { runner, runId } = await runnerAtWork(world);
  runner.child.kill('SIGKILL');
  await exited(runner.child);
  await sessionsGone(`payrun run ${runId}`);
  const [dead] = await runsOf(world);
  const history = await showRun(db, world.accountId, dead!.id);
  expect(history.run).toMatchObject({ status: 'running', live: false });
  expect(history.run.lease_until.getTime()).toBeGreaterThan(Date.now());

  const context = testContext(db);
  const result = await executeRun(context, account, spec({ slot: new Date(slot) }), async () => nothing);
  expect(result.status).toBe('done');
  expect(await runsOf(world)).toMatchObject([
    { attempt: 1, status: 'lost' },
    { attempt: 2, status: 'done' },
  ]);
});

test('a paused runner that was replaced cannot commit, nor hold up its successor by its locks', async () => {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  const { runner, runId } = await runnerAtWork(world);
  runner.child.kill('SIGSTOP');
  const again = () =>
    executeRun(testContext(db), account, spec({ slot: new Date(slot) }), (work) =>
      work.transaction(async ({ client }) => {
        const where = [world.accountId, world.programId, 'by the successor'];
        await client.query('update program set name = $3 where account_id = $1 and id = $2', where);
        return nothing;
      }),
    );
  await expect(again()).rejects.toMatchObject({ code: 'already-running' });

  await db.sql
    .updateTable('run')
    .set({ lease_until: new Date(Date.now() - 1000) })
    .where('account_id', '=', world.accountId)
    .where('id', '=', runId)
    .execute();
  expect((await again()).status).toBe('done');
  runner.child.kill('SIGCONT');
  runner.say('commit');
  expect(await runner.hear()).toEqual({ event: 'raised', code: 'lease-lost' });
  expect(await programName(world)).toBe('by the successor');
  expect(await runsOf(world)).toMatchObject([
    { attempt: 1, status: 'lost', counts: null },
    { attempt: 2, status: 'done' },
  ]);
});

test('while a job runs in another process, another run of it is refused with exit code 4, naming run and time', async () => {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  const runner = await startRunner(world);
  runner.say('start');
  const began = await runner.hear();
  const other = spec({ parameters: { other: true } });
  const refused = executeRun(testContext(db), account, other, async () => nothing);
  await expect(refused).rejects.toMatchObject({ code: 'already-running', exitCode: 4 });
  const { run } = await showRun(db, world.accountId, began.runId!);
  await expect(refused).rejects.toThrow(run.started_at.toISOString().slice(0, 16).replace('T', ' '));
  const elsewhere = await executeRun(testContext(db), account, spec({ job: 'b-job' }), async () => nothing);
  expect(elsewhere.status).toBe('done');
  runner.say('work');
  await runner.hear();
  runner.say('commit');
  await runner.hear();
  await exited(runner.child);
  const later = await executeRun(testContext(db), account, other, async () => nothing);
  expect(later.status).toBe('done');
});
