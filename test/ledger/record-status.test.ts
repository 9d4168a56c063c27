import { describe, expect, test } from 'vitest';
import { acceptConflict } from '../../src/ledger/accept.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { deskWithTwo, land } from './selling.ts';

const { db } = await testDatabase();

describe('a sale whose status moves on', () => {
  const row = (status: string) => `s-1,ann,100.00,USD,2026-01-10T10:00:00Z,${status}`;
  const status = async (desk: Desk) => {
    const sale = (await booked(desk.world)).get('s-1')!;
    return [sale.sales_status, sale.commission_status, sale.reason];
  };

  test.each([
    ['open', 'complete', 'updated', ['complete', 'pending', null]],
    ['trialing', 'complete', 'updated', ['complete', 'pending', null]],
    ['open', 'failed', 'updated', ['failed', 'declined', 'the sale failed']],
    ['trialing', 'failed', 'updated', ['failed', 'declined', 'the sale failed']],
    ['complete', 'open', 'duplicates', ['complete', 'pending', null]],
    ['open', 'trialing', 'duplicates', ['open', 'pending', null]],
    ['trialing', 'open', 'duplicates', ['trialing', 'pending', null]],
    ['complete', 'failed', 'conflicts', ['complete', 'pending', null]],
    ['failed', 'complete', 'conflicts', ['failed', null, null]],
    ['failed', 'open', 'duplicates', ['failed', null, null]],
  ])('from %s to %s: %s', async (from, to, outcome, after) => {
    const desk = await deskWithTwo(db);
    await land(desk, [row(from)], ',sales_status');
    expect(await land(desk, [row(to)], ',sales_status')).toMatchObject({ [outcome]: 1 });
    expect(await status(desk)).toEqual(after);
    expect(await audited(desk.world)).toEqual([]);
    // Both files once more: nothing is left to move.
    expect(await land(desk, [row(from)], ',sales_status')).not.toHaveProperty('updated');
    expect(await land(desk, [row(to)], ',sales_status')).not.toHaveProperty('updated');
    expect(await status(desk)).toEqual(after);
  });

  test('a conflict of status says so', async () => {
    const desk = await deskWithTwo(db);
    await land(desk, [row('complete')], ',sales_status');
    expect(await land(desk, [row('failed')], ',sales_status')).toEqual({
      conflicts: 1,
      differences: [{ sales_status: { ours: 'complete', theirs: 'failed' } }],
    });
  });

  test('does not when its facts differ as well: then it is a conflict, and stays open', async () => {
    const desk = await deskWithTwo(db);
    await land(desk, [row('open')], ',sales_status');
    expect(
      await land(desk, ['s-1,ann,99.00,USD,2026-01-10T10:00:00Z,complete'], ',sales_status'),
    ).toMatchObject({ conflicts: 1 });
    expect(await status(desk)).toEqual(['open', 'pending', null]);
  });

  test('makes its referral a customer when a trial is paid', async () => {
    const desk = await deskWithTwo(db);
    const trial = (to: string) => `s-1,ann,100.00,USD,2026-01-10T10:00:00Z,${to},c1,yes`;
    await land(desk, [trial('trialing')], ',sales_status,customer_id,is_subscription');
    expect(await referrals(desk.world)).toMatchObject([{ status: 'trialing', converted_at: null }]);
    // The second file does not name the customer; the sale is known to be theirs.
    await land(desk, [row('complete')], ',sales_status');
    expect(await referrals(desk.world)).toMatchObject([
      { status: 'active', converted_at: new Date('2026-01-10T10:00:00Z') },
    ]);
  });

  test.each(['open', 'trialing', 'failed'])(
    'does not move on from %s by a row that says nothing of it: an empty cell, or no column',
    async (known) => {
      const desk = await deskWithTwo(db);
      await land(desk, [row(known)], ',sales_status');
      const before = await status(desk);
      expect(await land(desk, [row('')], ',sales_status')).toEqual({ duplicates: 1, differences: [] });
      expect(await land(desk, [row('').slice(0, -1)])).toEqual({ duplicates: 1, differences: [] });
      expect(await status(desk)).toEqual(before);
      const both = row('').replace('s-1', 's-2');
      expect(await land(desk, [row(known).replace('s-1', 's-2'), both], ',sales_status')).toMatchObject({
        recorded: 1,
        duplicates: 1,
      });
      expect((await booked(desk.world)).get('s-2')!.sales_status).toBe(known);
    },
  );

  test('is complete when nothing is said of a new sale, and other facts without a status are a conflict that leaves it', async () => {
    const desk = await deskWithTwo(db);
    expect(await land(desk, [row('')], ',sales_status')).toMatchObject({ recorded: 1 });
    expect((await status(desk))[0]).toBe('complete');
    await land(desk, [row('open').replace('s-1', 's-2')], ',sales_status');
    expect(await land(desk, [row('').replace('s-1', 's-2').replace('100', '99')], ',sales_status')).toEqual({
      conflicts: 1,
      differences: [{ amount: { ours: '100.00', theirs: '99.00' } }],
    });
    const conflict = await db.sql
      .selectFrom('conflict')
      .select(['id', 'sales_status'])
      .where('account_id', '=', desk.world.accountId)
      .executeTakeFirstOrThrow();
    expect(conflict.sales_status).toBe('open');
    const choice = { conflictId: conflict.id, by: 'Ada', reason: undefined };
    await db.transaction((session) => acceptConflict(session, desk.world.mover, choice));
    expect((await booked(desk.world)).get('s-2')).toMatchObject({ sales_status: 'open', amount: 9_900n });
  });

  test.each([
    ['complete', 'yes', 'active'],
    ['complete', 'no', 'customer'],
    ['open', 'yes', 'customer'],
    ['trialing', 'yes', 'trialing'],
    ['trialing', 'no', 'trialing'],
    ['failed', 'yes', 'lead'],
  ])(
    '%s (subscription: %s) makes its referral %s, and takes nothing from one who is further',
    async (is, subscribed, became) => {
      const desk = await deskWithTwo(db);
      const columns = ',sales_status,customer_id,is_subscription';
      const sale = (id: string, customer: string) =>
        `${id},ann,100.00,USD,2026-01-10T10:00:00Z,${is},${customer},${subscribed}`;
      await land(desk, [sale('s-1', 'c1')], columns);
      const isCustomer = became === 'active' || became === 'customer';
      expect(await referrals(desk.world)).toMatchObject([
        { status: became, converted_at: isCustomer ? new Date('2026-01-10T10:00:00Z') : null },
      ]);
      await land(desk, ['s-2,ann,1.00,USD,2026-01-11T10:00:00Z,complete,c2,yes'], columns);
      await land(desk, [sale('s-3', 'c2')], columns);
      const [, second] = await referrals(desk.world);
      expect(second!.status).toBe('active');
    },
  );

  test('leaves a referral that was set to canceled or rejected', async () => {
    const desk = await deskWithTwo(db);
    await desk.land('referrals', 'affiliate,customer_id,status\nann,c1,canceled\nann,c2,rejected\n');
    for (const customer of ['c1', 'c2'])
      await land(
        desk,
        [`s-${customer},ann,100.00,USD,2026-01-10T10:00:00Z,trialing,${customer},yes`],
        ',sales_status,customer_id,is_subscription',
      );
    expect((await referrals(desk.world)).map((one) => one.status).sort()).toEqual(['canceled', 'rejected']);
  });

  test.each([
    ['open', 'failed'],
    ['failed', 'open'],
  ])('makes nobody a customer when a file has it %s and then %s', async (first, second) => {
    const desk = await deskWithTwo(db);
    const sale = (status: string) => `s-1,ann,100.00,USD,2026-01-10T10:00:00Z,${status},c1,yes`;
    await land(desk, [sale(first), sale(second)], ',sales_status,customer_id,is_subscription');
    expect((await status(desk))[0]).toBe('failed');
    expect(await referrals(desk.world)).toMatchObject([{ status: 'lead', converted_at: null }]);
  });
});
