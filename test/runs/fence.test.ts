import { describe, expect, test } from 'vitest';
import { adjust } from '../../src/ledger/adjust.ts';
import { testDatabase } from '../support/database.ts';
import { nothing, scene } from './fixture.ts';

const { db } = await testDatabase();

describe('the fence', () => {
  test('a run that was marked lost meanwhile cannot commit, and nothing of its work is kept', async () => {
    const { world, run, rename, name } = await scene(db);
    const before = await name();
    const replaced = run({}, (work) =>
      work.transaction(async (session) => {
        const outcome = await rename(session, 'by the lost one');
        await db.sql
          .updateTable('run')
          .set({ status: 'lost' })
          .where('account_id', '=', world.accountId)
          .where('id', '=', work.runId)
          .execute();
        return outcome;
      }),
    );
    await expect(replaced).rejects.toMatchObject({ code: 'lease-lost' });
    expect(await name()).toBe(before);
  });

  test('a run that leaves a cent adrift is rolled back and fails', async () => {
    const { world, run, history } = await scene(db);
    const affiliate = await world.affiliate();
    const gift = { affiliateId: affiliate.id, programId: world.programId, currency: 'USD', amount: 500n };
    const adrift = run({}, (work) =>
      work.transaction(async (session, mover) => {
        await adjust(session, mover, [{ ...gift, reason: 'a gift', by: 'Ada' }]);
        await session.client.query(
          'update posting set amount = amount + 1 where account_id = $1 and run_id = $2',
          [mover.accountId, mover.runId],
        );
        return nothing;
      }),
    );
    await expect(adrift).rejects.toMatchObject({ code: 'books-adrift' });
    expect(await run({}, (work) => work.transaction(async () => nothing))).toMatchObject({ status: 'done' });
    expect((await history()).map(({ status }) => status)).toEqual(['done', 'failed']);
  });
});
