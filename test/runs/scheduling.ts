import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import type { Db } from '../../src/db/connect.ts';
import { executeRun } from '../../src/runs/run.ts';
import type { TestDatabase } from '../support/database.ts';
import { emptyFolder } from '../support/folder.ts';
import type { World } from '../support/world.ts';
import { exited, nothing, testContext } from './fixture.ts';
import type { SchedulerOrder } from './scheduler.ts';

const program = fileURLToPath(new URL('./scheduler.ts', import.meta.url));
const workspace = await emptyFolder();
const schedulers: ChildProcessWithoutNullStreams[] = [];

await mkdir(path.join(workspace, 'jobs'));
await writeFile(
  path.join(workspace, 'jobs', 'my-night.ts'),
  `import { defineJob } from 'payrun';
   export default defineJob({
     name: 'my-night',
     summary: 'A night that does nothing.',
     run: async (work): Promise<{ counts: Record<string, number>; totals: {} }> =>
       work.transaction(async () => ({ counts: { nights: 1 }, totals: {} })),
   });`,
);
await writeFile(
  path.join(workspace, 'jobs', 'long-night.mjs'),
  `import { defineJob } from 'payrun';
   export default defineJob({
     name: 'long-night',
     summary: 'A night that lasts until the programme has another name.',
     run: (work) => work.transaction(async ({ client }) => {
       for (let name = ''; name !== 'morning'; ) {
         work.context.signal.throwIfAborted();
         const rows = await client.query('select name from program where account_id = $1', [work.account.id]);
         name = rows.rows[0].name;
       }
       return { counts: { nights: 1 }, totals: {} };
     }),
   });`,
);
await writeFile(path.join(workspace, 'jobs', 'bad-night.mjs'), 'export default 1;');

afterEach(() => {
  for (const child of schedulers.splice(0)) child.kill('SIGKILL');
});

type Line = Record<string, string> & { msg: string };

/** A scheduler whose log is read up to the line that a test waits for. */
export function startSchedule(
  { url }: TestDatabase,
  world: World,
  jobs: SchedulerOrder['jobs'],
  now?: string,
) {
  const order: SchedulerOrder = { url, workspace, account: world.accountRef, jobs, ...(now ? { now } : {}) };
  const child = spawn(process.execPath, [program, JSON.stringify(order)]);
  schedulers.push(child);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const heard: Line[] = [];
  const hear = async (msg: string): Promise<Line> => {
    for (;;) {
      const next = await lines.next();
      if (next.done) throw new Error(`never heard "${msg}", but ${JSON.stringify(heard)}`);
      heard.push(JSON.parse(next.value));
      if (heard.at(-1)!.msg.includes(msg)) return heard.at(-1)!;
    }
  };
  const drain = async () => {
    child.kill('SIGTERM');
    return exited(child);
  };
  return { child, heard, hear, drain };
}

/** A slot that ran to its end, so that later ones count as missed. */
export async function ranBefore(db: Db, world: World, job: string, slot: string): Promise<void> {
  const account = { id: world.accountId, ref: world.accountRef };
  const given = { job, slot: new Date(slot), parameters: {}, asOf: new Date(slot), dryRun: false };
  await executeRun(testContext(db), account, given, async () => nothing);
}

export async function slotsOf(db: Db, world: World, job: string): Promise<string[]> {
  const rows = await db.sql
    .selectFrom('run')
    .select(['slot', 'attempt', 'status'])
    .where('account_id', '=', world.accountId)
    .where('job', '=', job)
    .orderBy('slot')
    .orderBy('attempt')
    .execute();
  return rows.map(({ slot, attempt, status }) => `${slot?.toISOString().slice(0, 16)} ${attempt} ${status}`);
}

/** Half past two, which Berlin does not have on the last Sunday of March. */
export const berlin = { cron: '30 2 * * *', timezone: 'Europe/Berlin' } as const;

/** Ends every long night of an account. */
export async function morning(db: Db, world: World): Promise<void> {
  await db.sql
    .updateTable('program')
    .set({ name: 'morning' })
    .where('account_id', '=', world.accountId)
    .execute();
}
