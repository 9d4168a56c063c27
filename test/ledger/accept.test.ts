import { describe, expect, test } from 'vitest';
import { acceptConflict } from '../../src/ledger/accept.ts';
import { listConflicts } from '../../src/ledger/conflicts.ts';
import { keepConflicts } from '../../src/ledger/keep.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk, DeskSettings } from '../support/desk.ts';
import { today } from '../support/world.ts';
import { batchesOf, claimNow, march, payoutsOf } from './claiming.ts';
import { disputes } from './disputing.ts';
import { lines, payOut, refund } from './refunding.ts';
import { deskWithTwo, land } from './selling.ts';

const { db } = await testDatabase();

const day = '2026-01-10T10:00:00Z';
const ours = `S,ann,100.00,USD,${day}`;
const more = `S,ann,120.00,USD,${day}`;
const less = `S,ann,80.00,USD,${day}`;
const bobs = `S,bob,120.00,USD,${day}`;

/** A desk where `first` was recorded and `second` came again as a conflict. */
async function inConflict(
  first: string,
  second: string,
  { columns = '', ...settings }: DeskSettings & { columns?: string } = {},
): Promise<Desk> {
  const desk = await deskWithTwo(db, settings);
  await land(desk, [first], columns);
  expect(await land(desk, [second], columns)).toMatchObject({ conflicts: 1 });
  return desk;
}

const open = (desk: Desk) => listConflicts(db.sql, desk.world.accountId, { all: false, limit: 10 });

/** Accepts the open conflict, of that amount if there are several; the audit has nothing to say afterwards. */
async function accept(desk: Desk, by = 'Ada', reason?: string, amount?: string) {
  const conflict = (await open(desk)).find(
    ({ difference }) => amount === undefined || difference.amount?.theirs === amount,
  );
  const accepted = await db.transaction((session) =>
    acceptConflict(session, desk.world.mover, { conflictId: conflict!.id, by, reason }),
  );
  expect(await audited(desk.world)).toEqual([]);
  return accepted;
}

async function release(desk: Desk): Promise<void> {
  await db.transaction((session) => releaseHolds(session, desk.world.mover, { asOf: today }));
}

describe('an accepted version with another amount', () => {
  test.each([
    ['more', more, '400 pending'],
    ['less', less, '-400 pending'],
  ])('counts from now on; a pending commission gets %s, under the same hold', async (_, version, line) => {
    const desk = await inConflict(ours, version);
    const { way, booked: lined } = await accept(desk);
    expect([way, lined.length]).toEqual(['restated', 1]);
    expect((await lines(desk.world)).sort()).toEqual(['2000 pending', line].sort());
    const sale = (await booked(desk.world)).get('S')!;
    expect(sale.amount).toBe(version === more ? 12_000n : 8_000n);
    const holds = await db.sql
      .selectFrom('commission')
      .select('hold_until')
      .distinct()
      .where('account_id', '=', desk.world.accountId)
      .execute();
    expect(holds).toHaveLength(1);
  });

  test('is released and paid together with what was there before', async () => {
    const desk = await inConflict(ours, more);
    await accept(desk);
    await release(desk);
    await payOut(desk.world, 'paid');
    expect(await payoutsOf(desk.world)).toMatchObject([{ amount: 2_400n, lines: 2 }]);
  });

  test('takes a commission out of a draft payout, which is summed again', async () => {
    const desk = await inConflict(ours, more);
    await land(desk, [`T,ann,10.00,USD,${day}`]);
    await release(desk);
    await payOut(desk.world, 'draft');
    await accept(desk);
    expect(await payoutsOf(desk.world)).toMatchObject([{ amount: 200n, lines: 1, status: 'draft' }]);
    expect(await lines(desk.world)).toEqual([
      '2000 ready_for_payment',
      '400 ready_for_payment',
      '200 ready_for_payment in draft',
    ]);
  });

  test.each(['approved', 'exported', 'paid'] as const)(
    'lets a payout stand that is %s, and nets in the next',
    async (stage) => {
      const desk = await inConflict(ours, less);
      await land(desk, [`T,ann,100.00,USD,2026-02-01T10:00:00Z`]);
      await release(desk);
      await payOut(desk.world, stage);
      await accept(desk);
      expect((await payoutsOf(desk.world)).map((one) => one.amount)).toEqual([2_000n]);
      await db.transaction((session) =>
        releaseHolds(session, desk.world.mover, { asOf: new Date('2026-04-01T00:00:00Z') }),
      );
      expect((await claimNow(desk.world, march)).batches).toMatchObject([{ amount: 1_600n, lines: 2 }]);
    },
  );

  test('is rounded once, as the commission was', async () => {
    const desk = await inConflict(`S,ann,0.02,USD,${day}`, `S,ann,0.13,USD,${day}`, {
      program: { rounding: 'half_even' },
    });
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['3 pending', '0 pending']);
  });

  test('makes no line where the commission is the same, such as a fixed one', async () => {
    const desk = await inConflict(ours, more, { program: { commission: { fixed: '5.00' } } });
    expect((await accept(desk)).booked).toEqual([]);
    expect(await lines(desk.world)).toEqual(['500 pending']);
  });

  test('keeps rate and rule of the commission, whatever the programme says now', async () => {
    const desk = await inConflict(ours, more);
    await db.sql
      .updateTable('program')
      .set({ rate_ppm: 900_000 })
      .where('id', '=', desk.world.programId)
      .execute();
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['2000 pending', '400 pending']);
  });

  test('in another currency is exchanged by the rate of its row', async () => {
    const desk = await inConflict(ours, `S,ann,100.00,EUR,${day}`, {
      rates: ['EUR,USD,2026-01-10,1.25,ECB'],
    });
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['2000 pending', '500 pending']);
  });
});

describe('after a version was accepted', () => {
  test('its row is a duplicate, the row recorded first a conflict, which can be accepted in turn', async () => {
    const desk = await inConflict(ours, more);
    await accept(desk);
    expect(await land(desk, [more])).toMatchObject({ duplicates: 1 });
    expect(await land(desk, [ours])).toMatchObject({
      conflicts: 1,
      differences: [{ amount: { ours: '120.00', theirs: '100.00' } }],
    });
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['2000 pending', '400 pending', '-400 pending']);
    expect(await land(desk, [ours])).toMatchObject({ duplicates: 1 });
  });

  test('a third version that waits says in what it differs now', async () => {
    const desk = await inConflict(ours, `S,bob,130.00,USD,${day}`);
    await land(desk, [bobs]);
    const { way } = await accept(desk, 'Ada', 'x', '120.00');
    expect(way).toBe('recorded_anew');
    expect((await open(desk)).map(({ difference }) => difference)).toEqual([
      { amount: { ours: '120.00', theirs: '130.00' } },
    ]);
    await accept(desk);
    expect(await lines(desk.world)).toEqual([
      '4800 pending',
      '2000 declined',
      '400 pending',
      '-2000 declined',
    ]);
  });

  test('it is not accepted again, nor kept; and what was kept is not accepted', async () => {
    const desk = await inConflict(ours, more);
    const [conflict] = await open(desk);
    const choice = { conflictId: conflict!.id, by: 'Eve', reason: undefined };
    const again = () => db.transaction((session) => acceptConflict(session, desk.world.mover, choice));
    await accept(desk, ' Ada ', 'the invoice says so');
    await expect(again()).rejects.toMatchObject({
      code: 'state',
      message: 'The conflict was decided before: accepted by Ada.',
    });
    await expect(
      db.transaction((session) =>
        keepConflicts(session, desk.world.mover, { conflictIds: [conflict!.id], by: 'x', reason: undefined }),
      ),
    ).rejects.toMatchObject({ code: 'state' });
    expect(await lines(desk.world)).toHaveLength(2);
    const other = await inConflict(ours, more);
    const [kept] = await open(other);
    await db.transaction((session) =>
      keepConflicts(session, other.world.mover, { conflictIds: [kept!.id], by: 'x', reason: undefined }),
    );
    await expect(
      db.transaction((session) =>
        acceptConflict(session, other.world.mover, { ...choice, conflictId: kept!.id }),
      ),
    ).rejects.toMatchObject({ code: 'state' });
  });

  test('of two persons at the same moment one has decided', async () => {
    const desk = await inConflict(ours, bobs);
    const [conflict] = await open(desk);
    const one = (by: string) =>
      db.transaction((session) =>
        acceptConflict(session, desk.world.mover, { conflictId: conflict!.id, by, reason: undefined }),
      );
    const ended = await Promise.allSettled([one('Ada'), one('Eve')]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await lines(desk.world)).toEqual(['4800 pending', '2000 declined', '-2000 declined']);
    expect(await audited(desk.world)).toEqual([]);
  });
});

describe('an accepted version with another affiliate', () => {
  test('takes the commission back from the one, and the other earns by the rules of now', async () => {
    const desk = await inConflict(ours, bobs);
    const { booked: lined } = await accept(desk);
    expect(lined.map(({ affiliate, amount, status }) => `${affiliate} ${amount} ${status}`).sort()).toEqual([
      'ann -2000 declined',
      'bob 4800 pending',
    ]);
    expect((await booked(desk.world)).get('S')).toMatchObject({ affiliate: 'bob', amount: 12_000n, line: 2 });
    expect(await land(desk, [bobs])).toMatchObject({ duplicates: 1 });
    expect(await land(desk, [ours])).toMatchObject({ conflicts: 1 });
  });

  test.each(['approved', 'exported', 'paid'] as const)(
    'leaves the one a debt whose payout was %s',
    async (stage) => {
      const desk = await inConflict(ours, bobs);
      await release(desk);
      await payOut(desk.world, stage);
      await accept(desk);
      const state = stage === 'paid' ? 'paid in paid' : `ready_for_payment in ${stage}`;
      expect(await lines(desk.world)).toEqual(['4800 pending', `2000 ${state}`, '-2000 ready_for_payment']);
    },
  );

  test('whose payout was approved and is canceled afterwards: nothing of the first is paid', async () => {
    const desk = await inConflict(ours, bobs);
    await release(desk);
    await payOut(desk.world, 'approved');
    await accept(desk);
    const [batch] = await batchesOf(desk.world);
    await db.transaction((session) =>
      unclaim(session, desk.world.mover, { batchId: batch!.id, reason: 'wrong' }),
    );
    expect(await lines(desk.world)).toEqual(['4800 pending', '2000 declined', '-2000 declined']);
    expect(await audited(desk.world)).toEqual([]);
  });

  test('takes the refunds and disputes of the sale along', async () => {
    const desk = await inConflict(ours, bobs);
    await refund(desk.world, { amount: 2_000n });
    await disputes(desk.world, { amount: 1_000n });
    await accept(desk);
    expect(await lines(desk.world)).toEqual([
      '4800 pending',
      '2000 declined',
      '-400 declined',
      '-800 pending',
      '-1600 declined',
    ]);
    expect(await refund(desk.world, { amount: 2_000n })).toEqual({ duplicates: 1 });
    expect(await disputes(desk.world, { state: 'lost', amount: 1_000n })).toEqual({ recorded: 1 });
    expect(await lines(desk.world)).toContain('-400 pending');
  });

  test('leaves the customer with the affiliate who brought them', async () => {
    const desk = await inConflict(`${ours},c1`, `${bobs},c1`, { columns: ',customer_id' });
    await accept(desk);
    expect(await referrals(desk.world)).toMatchObject([{ customer_id: 'c1', affiliate: 'ann' }]);
    expect((await booked(desk.world)).get('S')).toMatchObject({ affiliate: 'bob', referral_id: null });
  });
});

describe('an accepted version with other products', () => {
  const incentives = [
    { ref: 'pro', percent: '30', product_ids: ['pro'] },
    { ref: 'first', percent: '50', product_ids: ['first'], duration: { payments: 1 } },
  ];

  test('earns by the rule that they choose', async () => {
    const desk = await inConflict(`${ours},basic`, `${ours},pro`, {
      columns: ',product_ids',
      program: { incentives },
    });
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['2000 pending', '1000 pending']);
    await land(desk, [`S,ann,200.00,USD,${day},pro`], ',product_ids');
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['3000 pending', '2000 pending', '1000 pending']);
  });

  test('does not count among its customer’s own earlier payments', async () => {
    const desk = await inConflict(`${ours},basic,c1`, `${ours},first,c1`, {
      columns: ',product_ids,customer_id',
      program: { incentives },
    });
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['3000 pending', '2000 pending']);
  });

  test('earns a commission where there was none, less what was refunded', async () => {
    const desk = await inConflict(`${ours},basic`, `${ours},pro`, {
      columns: ',product_ids',
      program: { commission: undefined, incentives },
    });
    await refund(desk.world, {});
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['3000 pending', '-750 pending']);
  });
});

describe('an accepted version with another end', () => {
  const columns = ',sales_status';

  test('that failed takes back the whole commission', async () => {
    const desk = await inConflict(`${ours},complete`, `${ours},failed`, { columns });
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['2000 declined', '-2000 declined']);
    expect((await booked(desk.world)).get('S')?.sales_status).toBe('failed');
  });

  test.each(['', 'open'])('that is complete earns after all (first %s)', async (first) => {
    const desk = await deskWithTwo(db);
    if (first) await land(desk, [`${ours},${first}`], columns);
    await land(desk, [`${ours},failed`], columns);
    await land(desk, [`${ours},complete`], columns);
    await accept(desk);
    await release(desk);
    expect(await lines(desk.world)).toEqual(['2000 ready_for_payment']);
  });
});

describe('with refunds', () => {
  test('the difference is that of what is left', async () => {
    const desk = await inConflict(ours, more);
    await refund(desk.world, { amount: 6_000n });
    await accept(desk);
    // 24.00 for 120.00, less half of that.
    expect(await lines(desk.world)).toEqual(['2000 pending', '400 pending', '-1200 pending']);
    expect(await refund(desk.world, { externalId: 'r-2', amount: 6_000n })).toEqual({ recorded: 1 });
    expect((await lines(desk.world)).every((line) => line.endsWith('declined'))).toBe(true);
    expect(await audited(desk.world)).toEqual([]);
  });

  test('in full of what was recorded, the rest is earned after all', async () => {
    const desk = await inConflict(ours, more);
    await refund(desk.world, { amount: 10_000n });
    expect(await lines(desk.world)).toEqual(['2000 declined', '-2000 declined']);
    await accept(desk);
    expect(await lines(desk.world)).toEqual(['2000 pending', '400 pending', '-2000 pending']);
    expect((await booked(desk.world)).get('S')?.sales_status).toBe('partial_refunded');
  });

  test.each([
    [
      'of more than the new amount',
      less,
      /90\.00 USD of the sale were refunded, which is more than the 80\.00 USD/,
    ],
    ['of another currency', `S,ann,100.00,EUR,${day}`, /the other version is in EUR/],
    ['of a sale that is to have failed', `${ours},failed`, /a failed sale can't have been/],
  ])('%s nothing is accepted', async (_, version, message) => {
    const desk = await inConflict(
      `${ours},complete`,
      version.endsWith('failed') ? version : `${version},complete`,
      {
        columns: ',sales_status',
        rates: ['EUR,USD,2026-01-10,1.25,ECB'],
      },
    );
    await refund(desk.world, { amount: 9_000n });
    const before = await lines(desk.world);
    await expect(accept(desk)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringMatching(message),
    });
    expect(await open(desk)).toHaveLength(1);
    expect(await lines(desk.world)).toEqual(before);
  });
});

test('a conflict about one refund can’t be accepted, and says what to do', async () => {
  const desk = await deskWithTwo(db);
  await land(desk, [ours]);
  await refund(desk.world, { amount: 1_000n });
  await refund(desk.world, { amount: 2_000n });
  await expect(accept(desk)).rejects.toMatchObject({
    code: 'state',
    message: expect.stringMatching(
      /^This conflict is about a refund; only another version of a sale, another total/,
    ),
  });
});
