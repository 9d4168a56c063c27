import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../src/runs/define-job.ts';
import { showRun } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import type { StepResult } from '../../src/runs/work.ts';
import { testDatabase } from '../support/database.ts';
import { failing, jobsOf, nothing, scene, spec, testContext } from './fixture.ts';

const { db } = await testDatabase();

describe('steps', () => {
  test('are runs of their own below their parent, and a step that fails does not stop the ones after it', async () => {
    const { run, rename, world } = await scene(db);
    const jobs = jobsOf({
      'fail-it': failing,
      'rename-it': (work) => work.transaction((session) => rename(session, work.job)),
    });
    const steps: StepResult[] = [];
    const result = await run(
      {},
      async (work) => {
        for (const job of ['fail-it', 'no-such-job', 'rename-it']) steps.push(await work.step(job));
        return { ...nothing, report: steps };
      },
      { jobs },
    );
    expect(steps).toMatchObject([
      { job: 'fail-it', exitCode: 1, outcome: undefined, message: 'The file is torn.' },
      { job: 'no-such-job', exitCode: 2, runId: undefined },
      { job: 'rename-it', exitCode: 0, outcome: { counts: { renamed: 1 } }, message: undefined },
    ]);
    const history = await showRun(db, world.accountId, result.runId);
    expect(history.children).toMatchObject([
      { job: 'fail-it', status: 'failed', parent_id: result.runId },
      { job: 'rename-it', status: 'done', parent_id: result.runId, as_of: spec().asOf },
    ]);
  });

  test('take parameters, which are checked by the schema of their job', async () => {
    const { run } = await scene(db);
    const greet = defineJob({
      name: 'greet',
      summary: '',
      parameters: { name: z.string() },
      run: async (_, { name }) => ({ ...nothing, report: `hello ${name}` }),
    });
    const result = await run(
      {},
      async (work) => {
        const good = await work.step('greet', { name: 'Ada' });
        const bad = await work.step('greet', { nome: 'Ada' });
        return { ...nothing, report: [good.outcome?.report, bad.exitCode] };
      },
      { jobs: new Map([['greet', greet]]) },
    );
    expect(result).toMatchObject({ outcome: { report: ['hello Ada', 2] } });
  });

  test('an interruption ends the parent as well, instead of counting as one failed step', async () => {
    const { account, history } = await scene(db);
    const stop = new AbortController();
    const context = testContext(db, { signal: stop.signal });
    const reached: string[] = [];
    const jobs = jobsOf({
      'stop-it': async () => {
        stop.abort();
        return nothing;
      },
    });
    const stopped = executeRun(
      context,
      account,
      spec(),
      async (work) => {
        await work.step('stop-it');
        await work.step('stop-it');
        reached.push('the end');
        return nothing;
      },
      { jobs },
    );
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
    expect(reached).toEqual([]);
    expect(await history()).toMatchObject([{ status: 'interrupted' }]);
  });
});
