import type { ChildProcess } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { importFile } from '../../src/imports/import.ts';
import { listRuns } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import { payrun } from '../commands/payrun.ts';
import { exited, spec, testContext } from '../runs/fixture.ts';
import { testDatabase } from '../support/database.ts';
import { pauseAt } from './barrier.ts';
import { salesWorkspace } from './night.ts';

const paused: ChildProcess[] = [];

afterEach(() => {
  vi.useRealTimers();
  for (const child of paused.splice(0)) child.kill('SIGKILL');
});

/** An import that is stopped in the middle of its transaction, and another one of the same file that waits for its turn. */
async function waitingFor(dryRun: boolean) {
  const { db, url } = await testDatabase();
  const place = await salesWorkspace(url, 50);
  const child = await pauseAt('posting', ['import', 'sales', 'sales.csv'], place);
  paused.push(child);
  const account = await db.sql
    .selectFrom('account')
    .select(['account_id as id', 'ref'])
    .executeTakeFirstOrThrow();
  const [stopped] = await listRuns(db, account.id, { limit: 1 });
  const config = loadConfig({ folder: place.cwd, from: place.cwd, env: {} });
  const context = { ...testContext(db), config };
  const file = `${place.cwd}/sales.csv`;
  // Only the beats of the heart come by this clock.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const waiting = executeRun(
    context,
    account,
    spec({ job: 'import-file', parameters: { file }, dryRun }),
    (work) => importFile(work, { kind: 'sales', file }),
  );
  waiting.catch(() => {});
  while (!context.lines.join('').includes('waiting for it to end')) await new Promise(setImmediate);
  const beat = () => vi.advanceTimersByTime(10_000);
  return { db, place, child, account, stopped: stopped!.id, waiting, beat };
}

test.each([false, true])(
  'an import waits for one that is stopped (a rehearsal waits too: %s) until its lease is over, and no longer',
  async (dryRun) => {
    const { db, place, child, account, stopped, waiting, beat } = await waitingFor(dryRun);
    await db.sql
      .updateTable('run')
      .set({ lease_until: new Date('2026-01-01') })
      .where('account_id', '=', account.id)
      .where('id', '=', stopped)
      .execute();
    beat();
    expect(await waiting).toMatchObject({
      status: 'done',
      outcome: { counts: { recorded: 49, duplicates: 0 } },
    });
    const runs = await listRuns(db, account.id, { limit: 9, job: 'import-file' });
    expect(runs.find(({ id }) => id === stopped)).toMatchObject({ status: 'lost' });
    child.kill('SIGCONT');
    expect(await exited(child)).toBe(1);
    expect((await payrun(['audit'], place)).code).toBe(0);
  },
);
