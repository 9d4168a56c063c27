import { describe, expect, test } from 'vitest';
import type { Work } from '../../src/runs/work.ts';
import { testDatabase } from '../support/database.ts';
import { failing, nothing, scene } from './fixture.ts';

const { db } = await testDatabase();

describe('retries', () => {
  const raise = (code: string) => (work: Work) =>
    work.transaction(async ({ client }) => {
      await client.query(`do $$ begin raise exception 'a fault' using errcode = '${code}'; end $$`);
      return nothing;
    });
  const cutOff = (work: Work) =>
    work.transaction(async ({ client }) => {
      await client.query('select pg_terminate_backend(pg_backend_pid())');
      return nothing;
    });

  test.each(['40001', '40P01', '08006', '53300', '57P01'])(
    'SQLSTATE %s is tried again after 1, 4 and 16 seconds, and then raised',
    async (code) => {
      const { run, history, context } = await scene(db);
      const pauses: number[] = [];
      const pause = async (milliseconds: number) => void pauses.push(milliseconds);
      await expect(run({}, raise(code), { pause })).rejects.toBeInstanceOf(Error);
      expect(pauses).toEqual([1000, 4000, 16000]);
      expect(await history()).toMatchObject([{ status: 'failed', attempt: 1 }]);
      expect(context.lines.filter((line) => line.includes('trying again'))).toHaveLength(3);
    },
  );

  test.each(['22P02', '23514', '57014', 'P0001'])('SQLSTATE %s is not tried again', async (code) => {
    const { run } = await scene(db);
    let attempts = 0;
    const work = (given: Work) => {
      attempts += 1;
      return raise(code)(given);
    };
    await expect(run({}, work)).rejects.toBeInstanceOf(Error);
    expect(attempts).toBe(1);
  });

  test('a refused file is not tried again', async () => {
    const { run } = await scene(db);
    let attempts = 0;
    const work = () => {
      attempts += 1;
      return failing();
    };
    await expect(run({}, work)).rejects.toMatchObject({ code: 'file-refused' });
    expect(attempts).toBe(1);
  });

  test('a lost connection is tried again, and what was committed before it counts once', async () => {
    const { run, history } = await scene(db);
    const rows = async () => ({ counts: { rows: 1 }, totals: { USD: { sales: '1.00' } } });
    let attempts = 0;
    const result = await run({}, async (work) => {
      attempts += 1;
      if (attempts > 1) return work.transaction(rows);
      await work.transaction(rows);
      return cutOff(work);
    });
    const sum = { counts: { rows: 2 }, totals: { USD: { sales: '2.00' } } };
    expect(result).toMatchObject({ status: 'done', outcome: sum });
    expect(await history()).toMatchObject([{ status: 'done', attempt: 1, ...sum }]);
  });

  test('a runner whose own session was cut off too takes up another one and goes on', async () => {
    const { run, history } = await scene(db);
    let attempts = 0;
    const result = await run({}, async (work) => {
      attempts += 1;
      if (attempts > 1) {
        expect((await history())[0]).toMatchObject({ status: 'running', live: true });
        return nothing;
      }
      await db.session(({ client }) =>
        client.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
          `payrun run ${work.runId}`,
        ]),
      );
      return cutOff(work);
    });
    expect(result.status).toBe('done');
  });
});
