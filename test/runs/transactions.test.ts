import { describe, expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { testDatabase } from '../support/database.ts';
import { failing, gate, scene } from './fixture.ts';

const { db } = await testDatabase();

const sale = (amount: string) => ({ counts: { rows: 1 }, totals: { USD: { sales: amount } } });
const sumOfThree = { counts: { rows: 3 }, totals: { USD: { sales: '6.25' } } };

/** Parts of a run that all come to their end at the same moment: each waits there until all the others have come. */
function together<T>(outcomes: readonly (() => Promise<T>)[]) {
  const { passed, open } = gate();
  let coming = outcomes.length;
  return outcomes.map((outcome) => async (_: Session) => {
    coming -= 1;
    if (coming === 0) open();
    await passed;
    return outcome();
  });
}

const three = ['1.00', '2.00', '3.25'].map((amount) => async () => sale(amount));

describe('transactions of one run at once', () => {
  test('have a connection each, and add up to the run, also in what each stores when it commits', async () => {
    const { run, history } = await scene(db);
    const result = await run({}, async (work) => {
      expect(await work.transactions(together(three))).toEqual(sumOfThree);
      expect((await history())[0]).toMatchObject({ status: 'running', ...sumOfThree });
      return { counts: {}, totals: {} };
    });
    expect(result).toMatchObject({ status: 'done', outcome: sumOfThree });
    expect(await history()).toMatchObject([sumOfThree]);
  });

  test('of which one fails: it alone is undone, the others are kept and counted', async () => {
    const { run, rename, name, history } = await scene(db);
    const before = await name();
    const torn = run({}, (work) => {
      const [first, second] = together(three.slice(0, 2));
      const bad = async (session: Session) => {
        await rename(session, 'half done');
        return failing();
      };
      return work.transactions([first!, bad, second!]);
    });
    await expect(torn).rejects.toMatchObject({ code: 'file-refused' });
    expect(await name()).toBe(before);
    expect(await history()).toMatchObject([
      { status: 'failed', counts: { rows: 2 }, totals: { USD: { sales: '3.00' } } },
    ]);
  });

  test('of which one meets a fault that passes: it is tried again when the others have ended, and nothing counts twice', async () => {
    const { run, history } = await scene(db);
    let lost = true;
    let rest = 2;
    const due = (n: number) => async (session: Session) => {
      if (n === 1 && lost) {
        lost = false;
        await session.client.query('select pg_terminate_backend(pg_backend_pid())');
      }
      rest -= 1;
      return rest < 0 ? { counts: { rows: 0 }, totals: {} } : sale('2.00');
    };
    const result = await run({}, (work) => work.transactions([due(0), due(1)]));
    expect(result).toMatchObject({ outcome: { counts: { rows: 2 }, totals: { USD: { sales: '4.00' } } } });
    expect(await history()).toMatchObject([{ status: 'done', counts: { rows: 2 } }]);
  });

  test('are one after another in a dry run, which shows their sum and keeps nothing', async () => {
    const { run, rename, name } = await scene(db);
    const before = await name();
    const names: string[] = [];
    const part = (to: string) => async (session: Session) => {
      const found = await session.client.query('select name from program order by name');
      names.push(...found.rows.map((row) => row.name as string).filter((found) => found.startsWith('part ')));
      return rename(session, to);
    };
    const result = await run({ dryRun: true }, (work) => work.transactions([part('part 1'), part('part 2')]));
    expect(result).toMatchObject({ outcome: { counts: { renamed: 2 } } });
    expect(names).toEqual(['part 1']);
    expect(await name()).toBe(before);
  });
});
