import { describe, expect, test } from 'vitest';
import audit from '../../jobs/audit.ts';
import nightly from '../../jobs/nightly.ts';
import { PayrunError } from '../../src/errors.ts';
import { defineJob, type Job } from '../../src/runs/define-job.ts';
import { showRun } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import type { Outcome, StepResult } from '../../src/runs/work.ts';
import { nothing, spec, testContext } from '../runs/fixture.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';

const { db } = await testDatabase();

const order = [
  'import-sales',
  'import-events',
  'retry-parked',
  'release-holds',
  'prepare-payouts',
  'export-payouts',
  'audit',
];

/** A night in which each step does what `given` says under its name, and nothing otherwise. */
async function night(given: Record<string, () => Promise<Outcome>>) {
  const world = await World.create(db);
  const done: string[] = [];
  const jobs = new Map<string, Job>([['nightly', nightly]]);
  for (const name of order) {
    const run = async () => {
      done.push(name);
      return given[name]?.() ?? nothing;
    };
    jobs.set(name, defineJob({ name, summary: '', run }));
  }
  const account = { id: world.accountId, ref: world.accountRef };
  const result = await executeRun(testContext(db), account, spec({ job: 'nightly' }), nightly, { jobs });
  return { result, done, history: await showRun(db, world.accountId, result.runId) };
}

describe('the night', () => {
  test('runs its steps in order, each recorded below it', async () => {
    const { result, done, history } = await night({});
    expect(done).toEqual(order);
    expect(result).toMatchObject({
      status: 'done',
      exitCode: 0,
      outcome: { counts: { steps: 7, failed: 0 } },
    });
    expect(history.children.map(({ job }) => job).sort()).toEqual([...order].sort());
  });

  test('goes on with the rest when one file is bad, ends with exit code 1 and says which step failed', async () => {
    const { result, done, history } = await night({
      'import-sales': async () => {
        throw new PayrunError('file-refused', 'The file is torn.');
      },
      'import-events': async () => ({ ...nothing, exitCode: 3 }),
    });
    expect(done).toEqual(order);
    expect(result).toMatchObject({ status: 'failed', exitCode: 1, outcome: { counts: { failed: 1 } } });
    expect(history.run.error?.message).toBe('import-sales: The file is torn.');
    const report = history.run.report as { steps: StepResult[] };
    expect(report.steps.map(({ job, exitCode }) => [job, exitCode]).slice(0, 3)).toEqual([
      ['import-sales', 1],
      ['import-events', 3],
      ['retry-parked', 0],
    ]);
  });

  test('that left rejects or conflicts is done, with exit code 3', async () => {
    const { result } = await night({ 'import-sales': async () => ({ ...nothing, exitCode: 3 }) });
    expect(result).toMatchObject({ status: 'done', exitCode: 3 });
  });
});

test('the audit fails on a cent adrift, and its report says where', async () => {
  const world = await World.create(db);
  const account = { id: world.accountId, ref: world.accountRef };
  const affiliate = await world.affiliate();
  const commission = await world.sale(affiliate.id);
  const run = () => executeRun(testContext(db), account, spec({ job: 'audit' }), audit);
  const adrift = db.sql
    .updateTable('commission')
    .where('account_id', '=', world.accountId)
    .where('id', '=', commission);
  await adrift.set({ amount: 2_001n }).execute();
  expect(await run()).toMatchObject({ status: 'failed', exitCode: 1 });
  const { run: stored } = await showRun(db, world.accountId, (await run()).runId);
  expect(JSON.stringify(stored.report)).toContain('20.01 USD');
  await adrift.set({ amount: 2_000n }).execute();
  const findings = JSON.stringify((await showRun(db, world.accountId, (await run()).runId)).run.report);
  expect(findings).not.toContain('20.01 USD');
});
