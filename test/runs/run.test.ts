import { describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { listRuns } from '../../src/runs/history.ts';
import { executeRun } from '../../src/runs/run.ts';
import type { StepResult, Work } from '../../src/runs/work.ts';
import { testDatabase } from '../support/database.ts';
import { failing, jobsOf, nothing, scene, spec, testContext } from './fixture.ts';

const { db, url } = await testDatabase();

describe('the record', () => {
  test('counts and totals are stored in the transaction that did the work, and stay when a later one fails', async () => {
    const { run, history } = await scene(db);
    const sale = (amount: string) => async () => ({
      counts: { rows: 1 },
      totals: { USD: { sales: amount } },
    });
    const second = run({}, async (work) => {
      await work.transaction(sale('10.50'));
      expect((await history())[0]).toMatchObject({ status: 'running', live: true, counts: { rows: 1 } });
      await work.transaction(sale('0.50'));
      return failing();
    });
    await expect(second).rejects.toMatchObject({ code: 'file-refused' });
    expect((await history())[0]).toMatchObject({
      status: 'failed',
      live: false,
      counts: { rows: 2 },
      totals: { USD: { sales: '11.00' } },
      error: { code: 'file-refused', message: 'The file is torn.' },
    });
  });

  test('the counts of several transactions add up to those of the run, beside what the work counts itself', async () => {
    const { run, history } = await scene(db);
    const file = (rows: number) => async () => ({
      counts: { rows, rejected: 1 },
      totals: { USD: { sales: `${rows}.00` } },
      exitCode: 3 as const,
    });
    const sum = { counts: { files: 2, rows: 5, rejected: 2 }, totals: { USD: { sales: '5.00' } } };
    for (const dryRun of [true, false]) {
      const result = await run({ dryRun }, async (work) => {
        await work.transaction(file(2));
        await work.transaction(file(3));
        return { ...nothing, counts: { files: 2 } };
      });
      expect(result).toMatchObject({ exitCode: 3, outcome: sum });
    }
    expect(await history()).toMatchObject([sum]);
  });

  test('a run that left something for a person is done with exit code 3; one that failed in part is failed', async () => {
    const { run, history } = await scene(db);
    const rejects = { ...nothing, exitCode: 3 as const };
    expect(await run({ parameters: { n: 1 } }, async () => rejects)).toMatchObject({
      exitCode: 3,
      status: 'done',
    });
    const part = { ...nothing, report: { n: 5n }, exitCode: 1 as const, message: 'One step failed.' };
    expect(await run({ parameters: { n: 2 } }, async () => part)).toMatchObject({
      exitCode: 1,
      status: 'failed',
    });
    const stored = (await history()).find(({ status }) => status === 'failed');
    expect(stored).toMatchObject({ error: { message: 'One step failed.' }, report: { n: '5' } });
  });

  test('what an unknown error says is not stored or logged, as it may quote a row', async () => {
    const { run, history, context } = await scene(db);
    const leak = async () => JSON.parse('jane@example.com');
    await expect(run({}, leak)).rejects.toBeInstanceOf(SyntaxError);
    const [stored] = await history();
    expect(stored).toMatchObject({ status: 'failed', error: { code: 'defect' } });
    expect(JSON.stringify(stored) + context.lines.join('')).not.toContain('jane');
    expect(stored?.error?.message).toMatch(/SyntaxError at .*run\.test\.ts:\d+/);
  });

  test('a run that is asked to stop ends as interrupted, keeps nothing half done and can be started again', async () => {
    const {
      account,
      context: { clock },
      rename,
      name,
      run,
      history,
    } = await scene(db);
    const before = await name();
    const stop = new AbortController();
    const stoppable = await connect(url, { signal: stop.signal });
    const context = testContext(stoppable, { signal: stop.signal, clock });
    const stopped = executeRun(context, account, spec(), (work) =>
      work.transaction(async (session) => {
        await rename(session, 'half done');
        stop.abort();
        // The cancel finds no statement to cancel yet; the one that comes later must not run to its end.
        for (let n = 0; n < 50; n += 1) await db.sql.selectFrom('account').select('ref').execute();
        await session.client.query('select pg_sleep(600)');
        return nothing;
      }),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' });
    await stoppable.close();
    expect(await name()).toBe(before);
    expect(await run({}, async () => nothing)).toMatchObject({ status: 'done' });
    expect((await history()).map(({ status }) => status)).toEqual(['done', 'interrupted']);
  });
});

describe('a dry run', () => {
  test('does the work, shows its outcome, and leaves no trace', async () => {
    const { run, rename, name, world } = await scene(db);
    const before = await name();
    const seen: (string | undefined)[] = [];
    const result = await run({ dryRun: true }, (work) =>
      work.transaction(async (session) => {
        const outcome = await rename(session, 'rehearsed');
        const row = await session.sql
          .selectFrom('program')
          .select('name')
          .where('id', '=', world.programId)
          .execute();
        seen.push(row[0]?.name);
        return outcome;
      }),
    );
    expect(result).toMatchObject({ status: 'done', outcome: { counts: { renamed: 1 } } });
    expect(seen).toEqual(['rehearsed']);
    expect(await name()).toBe(before);
    expect(await listRuns(db, world.accountId, { limit: 9, job: 'a-job' })).toEqual([]);
  });

  test('of a job with steps shows later steps what earlier ones did, also after one that failed', async () => {
    const { run, rename, name, world } = await scene(db);
    const before = await name();
    const jobs = jobsOf({
      'rename-it': (work) => work.transaction((session) => rename(session, 'rehearsed')),
      'fail-it': (work) =>
        work.transaction(async (session) => {
          await rename(session, 'wrong');
          return failing();
        }),
      'read-it': (work) =>
        work.transaction(async ({ sql }) => {
          const row = await sql
            .selectFrom('program')
            .select('name')
            .where('id', '=', world.programId)
            .execute();
          return { ...nothing, report: row[0]?.name };
        }),
    });
    const steps: StepResult[] = [];
    await run(
      { dryRun: true },
      async (work) => {
        for (const job of jobs.keys()) steps.push(await work.step(job));
        return nothing;
      },
      { jobs },
    );
    expect(steps.map(({ exitCode }) => exitCode)).toEqual([0, 1, 0]);
    expect(steps[2]?.outcome?.report).toBe('rehearsed');
    expect(await name()).toBe(before);
  });

  test('of several transactions may make the same temporary table in each, as a real run does', async () => {
    const { run } = await scene(db);
    const staged = (work: Work) =>
      work.transaction(async ({ client }) => {
        await client.query('create temp table stage (n integer) on commit drop');
        return nothing;
      });
    for (const dryRun of [true, false]) {
      const twice = run({ dryRun }, async (work) => {
        await staged(work);
        return staged(work);
      });
      expect(await twice).toMatchObject({ status: 'done' });
    }
  });

  test('goes ahead beside a real run of the same job, as it changes nothing', async () => {
    const { run } = await scene(db);
    const outer = run({}, async () => {
      expect(await run({ dryRun: true }, async () => nothing)).toMatchObject({ status: 'done' });
      return nothing;
    });
    expect(await outer).toMatchObject({ status: 'done' });
  });
});
