import { afterAll, describe, expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { connect } from '../../src/db/connect.ts';
import type { RunResult } from '../../src/runs/run.ts';
import type { Outcome, Work } from '../../src/runs/work.ts';
import { testDatabase } from '../support/database.ts';
import { type Cut, ending, otherCommit, proxyBefore, workCommit } from '../support/proxy.ts';
import { gate, nothing, scene } from './fixture.ts';

const { url } = await testDatabase();
const proxy = await proxyBefore(url);
const db = await connect(proxy.url);
const beside = await connect(url);
afterAll(() => Promise.all([db.close(), beside.close()]));

/** Counts in the programme's name how often it was done, so that doing it twice shows. */
async function oneMore({ client }: Session, work: Work): Promise<Outcome> {
  await client.query(
    `update program set name = case when name ~ '^[0-9]+$' then name::integer + 1 else 1 end::text where account_id = $1`,
    [work.account.id],
  );
  return { counts: { done: 1 }, totals: { USD: { sales: '1.00' } }, report: { told: 'once' } };
}

const told = (result: RunResult) => result.status !== 'skipped' && result.outcome;
const once = { counts: { done: 1 }, totals: { USD: { sales: '1.00' } }, report: { told: 'once' } };

describe('a commit whose answer is lost', () => {
  test.each<[string, Cut, number]>([
    ['was done, and is told, and not done again', 'answered', 1],
    ['was not done, and is done again', 'unsent', 2],
    ['never came to the server, which holds its locks, and is done again', 'stuck', 2],
  ])('%s', async (_, how, attempts) => {
    const { run, history, name } = await scene(db);
    let tried = 0;
    proxy.cut(workCommit, how);
    const result = await run({}, (work) => {
      tried += 1;
      return work.transaction((session) => oneMore(session, work));
    });
    expect(proxy.cuts()).toBe(1);
    expect({ tried, name: await name(), outcome: told(result) }).toEqual({
      tried: attempts,
      name: '1',
      outcome: once,
    });
    expect(await history()).toMatchObject([{ status: 'done', attempt: 1, ...once }]);
  });

  test.each(['answered', 'unsent'] as const)(
    'is told in the sum of several, each of them cut once (%s)',
    async (how) => {
      const parts = 3;
      const { run, history, name } = await scene(db);
      let done = 0;
      proxy.cut(workCommit, how);
      const result = await run({}, async (work) => {
        for (; done < parts; done += 1) {
          await work.transaction((session) => oneMore(session, work));
          proxy.cut(workCommit, how);
        }
        return nothing;
      });
      const sum = { counts: { done: parts }, totals: { USD: { sales: '3.00' } } };
      expect(told(result)).toMatchObject(sum);
      expect(await name()).toBe(String(parts));
      expect(await history()).toMatchObject([{ status: 'done', ...sum }]);
    },
  );

  test('is told beside those that were done at the same time', async () => {
    const { run, history } = await scene(db);
    const { passed, open } = gate();
    let waiting = 0;
    const part = async () => {
      waiting += 1;
      if (waiting === 2) open();
      await passed;
      return once;
    };
    proxy.cut(workCommit, 'answered', 2);
    const result = await run({}, (work) => work.transactions([part, part]));
    const sum = { counts: { done: 2 }, totals: { USD: { sales: '2.00' } } };
    expect(proxy.cuts()).toBe(2);
    expect(told(result)).toMatchObject(sum);
    expect(await history()).toMatchObject([{ status: 'done', ...sum }]);
  });

  test('is called unknown, never failed or undone, while the database does not answer at all', async () => {
    const { run, context, name } = await scene(db);
    proxy.cut(workCommit, 'gone');
    let tried = 0;
    const refused = run({}, (work) => {
      tried += 1;
      return work.transaction((session) => oneMore(session, work));
    });
    await expect(refused).rejects.toMatchObject({ code: 'commit-unknown', exitCode: 1 });
    proxy.back();
    expect({ tried, name: await name() }).toEqual({ tried: 1, name: '1' });
    expect(context.lines.join('')).not.toContain('nothing was kept');
  });
});

describe('of a run', () => {
  test.each(['answered', 'unsent'] as const)(
    'the election whose answer is lost (%s) counts once',
    async (how) => {
      const { run, history } = await scene(db);
      proxy.cut(otherCommit, how);
      const result = await run({}, (work) => work.transaction(async () => once));
      expect(proxy.cuts()).toBe(1);
      expect(result).toMatchObject({ status: 'done', outcome: once });
      expect(await history()).toMatchObject([{ status: 'done', attempt: 1, ...once }]);
    },
  );

  test.each(['answered', 'unsent'] as const)(
    'the end whose answer is lost (%s) is no failure',
    async (how) => {
      const { run, history } = await scene(db);
      proxy.cut(ending, how);
      const result = await run({}, (work) => work.transaction(async () => once));
      expect(proxy.cuts()).toBe(1);
      expect(result).toMatchObject({ status: 'done', exitCode: 0, outcome: once });
      expect(await history()).toMatchObject([{ status: 'done', ...once }]);
    },
  );
});
