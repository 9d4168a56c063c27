import { describe, expect, test } from 'vitest';
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
    expect(await referrals(desk.world)).toMatchObject([{ status: 'lead', converted_at: null }]);
    // The second file does not name the customer; the sale is known to be theirs.
    await land(desk, [row('complete')], ',sales_status');
    expect(await referrals(desk.world)).toMatchObject([
      { status: 'active', converted_at: new Date('2026-01-10T10:00:00Z') },
    ]);
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
