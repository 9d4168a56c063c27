import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { stopEmbedded } from '../../src/db/embedded.ts';
import { createLog } from '../../src/log.ts';
import { startScheduler } from '../../src/runs/schedule.ts';
import { ended, payrun, start } from '../commands/payrun.ts';
import { configOf, workspace } from '../commands/workspace.ts';
import { testDatabase } from '../support/database.ts';
import { emptyFolder } from '../support/folder.ts';
import { World } from '../support/world.ts';
import { testContext } from './fixture.ts';
import { slotsOf } from './scheduling.ts';

const { db, url } = await testDatabase();
const everySecond = { cron: '* * * * * *', timezone: 'UTC', missed: 'all' } as const;

test('a slot whose end could not be stored, because the database was away, is run when it is back', async () => {
  const world = await World.create(db);
  const stop = new AbortController();
  const lines: string[] = [];
  let hear = (_: string) => {};
  const heard = (words: string) =>
    new Promise<void>((resolve) => {
      hear = (line) => line.includes(words) && resolve();
    });
  const log = createLog({
    write: (line) => {
      lines.push(line);
      hear(line);
    },
  });
  const context = testContext(db, {
    log,
    clock: () => new Date(),
    config: {
      workspace: await emptyFolder(),
      accounts: [{ ref: world.accountRef, name: 'Acme', programs: [], sources: [] }],
      jobs: { audit: everySecond },
    },
  });
  const finished = heard('run finished');
  const schedule = startScheduler(context, { stop: stop.signal, pause: async () => {} });
  await finished;
  const waits = heard('tried again within a minute');
  await closeDatabase(true);
  await waits;
  const again = heard('run finished');
  await closeDatabase(false);
  await again;
  stop.abort();
  await schedule;
  const slots = await slotsOf(db, world, 'audit');
  const seconds = slots.map((slot) => slot.slice(0, 16)).length;
  const times = await db.sql
    .selectFrom('run')
    .select('slot')
    .distinct()
    .where('account_id', '=', world.accountId)
    .where('status', '=', 'done')
    .orderBy('slot')
    .execute();
  expect(seconds).toBeGreaterThan(1);
  const first = times[0]!.slot!.getTime();
  expect(times.map(({ slot }) => (slot!.getTime() - first) / 1000)).toEqual([...times.keys()]);
});

/** As an administrator does it for maintenance: nobody gets in, and who is in is thrown out. */
async function closeDatabase(isClosed: boolean): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const admin = await connect(inject('serverUrl'), { connections: 1 });
  await admin.session(async ({ client }) => {
    await client.query(`alter database ${name} with allow_connections ${!isClosed}`);
    if (isClosed)
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
  });
  await admin.close();
}

test('payrun start goes on when its embedded server was killed, and so does a command in its middle', async () => {
  const config = configOf('acme');
  const cwd = await workspace({ ...config, jobs: { audit: everySecond } });
  const server = path.join(cwd, '.payrun', 'postgres');
  const pid = async () =>
    Number((await readFile(path.join(server, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const finishedRuns = (said: string) => said.split('run finished').length - 1;
  expect((await payrun(['apply'], { cwd })).code).toBe(0);
  const scheduler = start(['start'], { cwd });
  let said = '';
  scheduler.stderr!.on('data', (text: string) => {
    said += text;
  });
  const end = ended(scheduler);
  try {
    await expect.poll(() => finishedRuns(said), { timeout: 60_000 }).toBeGreaterThan(0);
    const killed = await pid();
    process.kill(killed, 'SIGKILL');
    const before = finishedRuns(said);
    await expect.poll(() => finishedRuns(said), { timeout: 60_000 }).toBeGreaterThan(before + 1);
    expect(await pid()).not.toBe(killed);

    process.kill(await pid(), 'SIGKILL');
    expect(await payrun(['audit'], { cwd })).toMatchObject({ code: 0 });
  } finally {
    scheduler.kill('SIGTERM');
    const { code } = await end;
    await stopEmbedded(server, { force: true });
    expect(code).toBe(0);
  }
});
