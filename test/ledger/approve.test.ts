import { describe, expect, test } from 'vitest';
import type { ProgramRow } from '../../src/db/tables.ts';
import { newId } from '../../src/ids.ts';
import { approveBatch, approveCommissions } from '../../src/ledger/approve.ts';
import { assertBalanced } from '../../src/ledger/audit.ts';
import { claim } from '../../src/ledger/claim.ts';
import { testDatabase } from '../support/database.ts';
import { today, World } from '../support/world.ts';
import { claimNow, planFor } from './claiming.ts';

const { db } = await testDatabase();

async function draft(approval: ProgramRow['payout_approval'], preparedBy = 'Ann Lee') {
  const world = await World.create(db, { payout_approval: approval });
  await world.sale((await world.affiliate()).id, { status: 'ready_for_payment' });
  const claimed = await claimNow(world, { preparedBy });
  const batchId = claimed.batches[0]!.batchId;
  const approve = (by: string) =>
    db.transaction((session) => approveBatch(session, world.mover, { batchId, by }));
  const state = () =>
    db.sql.selectFrom('payout_batch').selectAll().where('id', '=', batchId).executeTakeFirstOrThrow();
  const payouts = () => db.sql.selectFrom('payout').selectAll().where('batch_id', '=', batchId).execute();
  return { world, batchId, approve, state, payouts };
}

describe('approving a batch', () => {
  test('makes the draft and its payouts approved, by name and time', async () => {
    const { approve, state, payouts } = await draft('manual');
    await approve(' Bob ');
    expect(await state()).toMatchObject({ status: 'approved', approved_by: 'Bob', approved_at: today });
    expect(await payouts()).toMatchObject([{ status: 'approved' }]);
  });

  test('by whoever prepared it, where one person is enough', async () => {
    const { approve, state } = await draft('manual');
    await approve('Ann Lee');
    expect(await state()).toMatchObject({ status: 'approved' });
  });

  test.each(['Ann Lee', ' ann lee ', 'ANN LEE'])(
    'two persons: refused to the preparer under the name "%s"',
    async (by) => {
      const { approve, state, payouts } = await draft('two_persons');
      await expect(approve(by)).rejects.toMatchObject({
        code: 'state',
        message: expect.stringContaining('two persons'),
      });
      expect(await state()).toMatchObject({ status: 'draft', approved_by: null });
      expect(await payouts()).toMatchObject([{ status: 'draft' }]);
    },
  );

  test('two persons: granted to another one', async () => {
    const { approve, state } = await draft('two_persons');
    await approve('Bob');
    expect(await state()).toMatchObject({ status: 'approved', approved_by: 'Bob' });
  });

  describe('two persons, where a job prepared', () => {
    test.each(['payrun', ' PayRun '])('named "%s": two different people must say yes', async (preparedBy) => {
      const { approve, state, payouts } = await draft('two_persons', preparedBy);
      await approve('Ada');
      expect(await state()).toMatchObject({
        status: 'draft',
        first_approved_by: 'Ada',
        first_approved_at: today,
        approved_by: null,
      });
      expect(await payouts()).toMatchObject([{ status: 'draft' }]);
      await expect(approve(' ADA ')).rejects.toMatchObject({
        code: 'state',
        message: expect.stringContaining('Ada has approved'),
      });
      await approve('Bob');
      expect(await state()).toMatchObject({
        status: 'approved',
        first_approved_by: 'Ada',
        approved_by: 'Bob',
      });
    });

    test.each([
      ['by the schedule', { slot: today }],
      ['as a step of the night', { parent_id: newId(today) }],
    ])('run %s under a person’s name: that name has said nothing', async (_, values) => {
      const world = await World.create(db, { payout_approval: 'two_persons' });
      await world.sale((await world.affiliate()).id, { status: 'ready_for_payment' });
      await db.sql.updateTable('run').set(values).where('id', '=', world.runId).execute();
      const plan = await planFor(world, { preparedBy: 'Ann' });
      const claimed = await db.transaction((session) => claim(session, world.mover, plan));
      const batchId = claimed.batches[0]!.batchId;
      const approve = (by: string) =>
        db.transaction((session) => approveBatch(session, world.mover, { batchId, by }));
      const status = async () =>
        (await db.sql.selectFrom('payout_batch').selectAll().where('id', '=', batchId).executeTakeFirst())
          ?.status;
      await approve('Bob');
      expect(await status()).toBe('draft');
      await approve('Ann');
      expect(await status()).toBe('approved');
    });

    test('two first approvals at once: both stand, and together they approve', async () => {
      const { approve, state } = await draft('two_persons', 'payrun');
      await Promise.all([approve('Bob'), approve('Cho')]);
      const { first_approved_by, approved_by, status } = await state();
      expect([first_approved_by, approved_by].sort()).toEqual(['Bob', 'Cho']);
      expect(status).toBe('approved');
    });
  });

  test.each(['payrun', ' PayRun', 'PAYRUN ', 'pay run', 'ｐａｙｒｕｎ', 'pay\u200brun', 'automatic'])(
    '"%s" is nobody’s name',
    async (by) => {
      const { approve, state } = await draft('manual');
      await expect(approve(by)).rejects.toMatchObject({
        code: 'usage',
        todo: expect.stringContaining('--by'),
      });
      expect(await state()).toMatchObject({ status: 'draft' });
    },
  );

  test('needs a name, a draft, and a batch of this account', async () => {
    const { approve, batchId, world } = await draft('manual');
    await expect(approve('  ')).rejects.toMatchObject({ code: 'usage' });
    await approve('Bob');
    await expect(approve('Cho')).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('Bob'),
    });
    const neighbour = await World.create(db);
    await expect(
      db.transaction((session) => approveBatch(session, neighbour.mover, { batchId, by: 'Bob' })),
    ).rejects.toMatchObject({ code: 'not-found' });
    expect(world.accountId).not.toBe(neighbour.accountId);
  });

  test('two approvals at once: one of them stands', async () => {
    const { approve, state } = await draft('two_persons');
    const both = await Promise.allSettled([approve('Bob'), approve('Cho')]);
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = both[0]!.status === 'fulfilled' ? 'Bob' : 'Cho';
    expect(await state()).toMatchObject({ approved_by: winner });
  });
});

describe('approving commissions', () => {
  async function awaiting() {
    const world = await World.create(db, { commission_approval: 'manual' });
    const ann = await world.affiliate();
    const banned = await world.affiliate({ status: 'banned' });
    const ids = [
      await world.sale(ann.id, { status: 'pending_manual_approval', amount: 10n }),
      await world.sale(ann.id, { status: 'pending_manual_approval', amount: 200n }),
    ];
    const others = [
      await world.sale(ann.id, { status: 'pending', amount: 3_000n }),
      await world.sale(banned.id, { status: 'pending_manual_approval', amount: 40_000n }),
      await world.sale(ann.id, { status: 'pending_manual_approval' }, { program_id: await world.program() }),
    ];
    const approve = (which: Parameters<typeof approveCommissions>[2]) =>
      db.transaction(async (session) => {
        const approved = await approveCommissions(session, world.mover, which);
        await assertBalanced(session, world.accountId);
        return approved;
      });
    const ready = async () => {
      const rows = await db.sql
        .selectFrom('commission')
        .select('id')
        .where('account_id', '=', world.accountId)
        .where('status', '=', 'ready_for_payment')
        .execute();
      return rows.map((row) => row.id).sort();
    };
    return { world, ids, others, approve, ready };
  }

  test('all of a programme: those that await approval become ready, and nothing else', async () => {
    const { world, ids, approve, ready } = await awaiting();
    const approved = await approve({ programId: world.programId });
    expect(approved).toMatchObject([{ currency: 'USD', lines: 2, amount: 210n, ids: [...ids].sort() }]);
    expect(await ready()).toEqual([...ids].sort());
    expect(await approve({ programId: world.programId })).toEqual([]);
  });

  test('those named, and of them only the ones that await approval and whose affiliate is not banned', async () => {
    const { ids, others, approve, ready } = await awaiting();
    const approved = await approve({ commissionIds: [ids[0]!, others[0]!, others[1]!] });
    expect(approved).toMatchObject([{ currency: 'USD', lines: 1, amount: 10n, ids: [ids[0]] }]);
    expect(await ready()).toEqual([ids[0]]);
  });
});
