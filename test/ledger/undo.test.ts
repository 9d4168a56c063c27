import { describe, expect, test } from 'vitest';
import { newId } from '../../src/ids.ts';
import { acceptConflict } from '../../src/ledger/accept.ts';
import { listConflicts } from '../../src/ledger/conflicts.ts';
import { unclaim } from '../../src/ledger/unclaim.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { today } from '../support/world.ts';
import { batchesOf, claimNow, commissionsOf, march, payoutsOf } from './claiming.ts';
import { disputes } from './disputing.ts';
import { lines, payOut, refund } from './refunding.ts';
import { deskWithTwo, land } from './selling.ts';
import { landFile, release, undo } from './undoing.ts';

const { db } = await testDatabase();

const day = 'USD,2026-01-10T10:00:00Z';
const wrong = [`S,ann,100.00,${day}`, `B,bob,10.00,${day}`];
const right = [`S,ann,50.00,${day}`, `B,bob,10.00,${day}`];

async function imported(rows = wrong, more = ''): Promise<{ desk: Desk; id: string }> {
  const desk = await deskWithTwo(db, { program: { minimum_payout: '0' } });
  return { desk, id: await landFile(desk, rows, more) };
}

const countsNothing = ['2000 declined', '400 declined', '-400 declined', '-2000 declined'];

describe('undoing an import', () => {
  test('whose commissions are pending declines them, with lines that net to zero', async () => {
    const { desk, id } = await imported();
    const { counts, sums, holdings } = await undo(desk, id);
    expect(counts).toMatchObject({ sales: 2, refunds: 0, parked: 0, conflicts: 0 });
    expect(sums).toEqual([
      { currency: 'USD', sales: 11_000n, refunds: 0n, unpaid: 2_400n, in_draft: 0n, in_payout: 0n, paid: 0n },
    ]);
    expect(holdings.map(({ affiliate, unpaid }) => [affiliate, unpaid])).toEqual([
      ['ann', 2_000n],
      ['bob', 400n],
    ]);
    expect(await lines(desk.world)).toEqual(countsNothing);
    expect(new Set((await commissionsOf(desk.world)).map((one) => one.reason))).toEqual(
      new Set(['the import was undone']),
    );
    expect(await audited(desk.world)).toEqual([]);
  });

  test('whose commissions are ready, or await approval, declines them', async () => {
    for (const commission_approval of ['automatic', 'manual'] as const) {
      const { desk, id } = await imported();
      await db.sql
        .updateTable('program')
        .set({ commission_approval })
        .where('id', '=', desk.world.programId)
        .execute();
      await release(desk);
      await undo(desk, id);
      expect(await lines(desk.world)).toEqual(countsNothing);
    }
  });

  test('sums draft payouts again, and cancels those with nothing left', async () => {
    const { desk, id } = await imported();
    await landFile(desk, [`T,ann,30.00,${day}`]);
    await release(desk);
    await payOut(desk.world, 'draft');
    expect((await payoutsOf(desk.world)).map((one) => one.amount)).toEqual([400n, 2_600n]);
    const { sums } = await undo(desk, id);
    expect(sums).toMatchObject([{ unpaid: 0n, in_draft: 2_400n }]);
    expect(await payoutsOf(desk.world)).toMatchObject([
      { amount: 400n, status: 'canceled', reason: 'the import was undone' },
      { amount: 600n, status: 'draft', lines: 1 },
    ]);
  });

  test.each(['approved', 'exported', 'paid'] as const)(
    'lets a payout stand that is %s; what was in it is netted in the next',
    async (stage) => {
      const { desk, id } = await imported([`S,ann,100.00,${day}`]);
      await release(desk);
      await payOut(desk.world, stage);
      const { sums, booked: net } = await undo(desk, id);
      expect(sums).toMatchObject([stage === 'paid' ? { paid: 2_000n } : { in_payout: 2_000n }]);
      expect(net).toEqual(new Map([['USD', -2_000n]]));
      expect((await payoutsOf(desk.world)).map(({ amount, status }) => [amount, status])).toEqual([
        [2_000n, stage],
      ]);
      await landFile(desk, ['N,ann,150.00,USD,2026-01-12T10:00:00Z']);
      await release(desk);
      expect((await claimNow(desk.world, march)).batches).toMatchObject([{ amount: 1_000n, lines: 2 }]);
    },
  );

  test('after which an approved payout is canceled: nothing of it is paid any more', async () => {
    const { desk, id } = await imported([`S,ann,100.00,${day}`]);
    await release(desk);
    await payOut(desk.world, 'approved');
    await undo(desk, id);
    const [batch] = await batchesOf(desk.world);
    await db.transaction((session) =>
      unclaim(session, desk.world.mover, { batchId: batch!.id, reason: 'wrong' }),
    );
    expect(await lines(desk.world)).toEqual(['2000 declined', '-2000 declined']);
  });

  test('takes the sales of its own that earned nothing along, and those of zero', async () => {
    const { desk, id } = await imported([`F,ann,5.00,${day},failed`, `Z,ann,0.00,${day},`], ',sales_status');
    expect((await undo(desk, id)).counts.sales).toBe(2);
    expect(await lines(desk.world)).toEqual(['0 declined']);
    expect(await land(desk, [`F,ann,5.00,${day}`, `Z,ann,0.00,${day}`])).toMatchObject({ recorded: 2 });
  });

  test('of sales with a fixed commission and no amount takes that back', async () => {
    const desk = await deskWithTwo(db, { program: { commission: { fixed: '5.00' } } });
    const id = await landFile(desk, [`Z,ann,0.00,${day}`]);
    await undo(desk, id);
    expect(await lines(desk.world)).toEqual(['500 declined', '-500 declined']);
  });
});

describe('after an import was undone', () => {
  test('the right file is recorded as new, under the same external ids; the wrong one as well', async () => {
    const { desk, id } = await imported();
    await undo(desk, id);
    expect(await land(desk, right)).toMatchObject({ recorded: 2 });
    const sales = await booked(desk.world);
    expect(sales.get('S')).toMatchObject({
      amount: 5_000n,
      commission: 1_000n,
      commission_status: 'pending',
    });
    expect(sales.get(`S#undone:${id}`)).toMatchObject({ amount: 10_000n, commission_status: 'declined' });
    expect(await land(desk, wrong)).toMatchObject({ conflicts: 1, duplicates: 1 });
  });

  test('the very same file counts as new, without being asked for again', async () => {
    const { desk } = await imported();
    const text = `external_id,affiliate,amount,currency,occurred_at\nX,ann,10.00,${day}\n`;
    for (let times = 0; times < 3; times += 1) {
      const { counts, report } = await desk.land('sales', text);
      expect([counts.recorded, report.already_imported]).toEqual([1, null]);
      expect((await desk.land('sales', text)).report.already_imported).not.toBeNull();
      await undo(desk, (await smallestImport(desk))!);
    }
  });

  test('it is not undone again, and says by whom it was', async () => {
    const { desk, id } = await imported();
    await undo(desk, id, { by: ' Ada ', reason: ' wrong month ' });
    const before = await lines(desk.world);
    await expect(undo(desk, id)).rejects.toMatchObject({
      code: 'state',
      message: 'The import was undone before, by Ada.',
    });
    expect(await lines(desk.world)).toEqual(before);
    const row = await db.sql.selectFrom('import').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    expect(row).toMatchObject({ undone_at: today, undone_by: 'Ada', undone_reason: 'wrong month' });
  });

  test('of two persons at the same moment one has done it', async () => {
    const { desk, id } = await imported();
    const ended = await Promise.allSettled([undo(desk, id, { by: 'Ada' }), undo(desk, id, { by: 'Eve' })]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await lines(desk.world)).toEqual(countsNothing);
  });

  test('referrals that it created stay, and its sales count as no payments of theirs', async () => {
    const incentives = [{ ref: 'first', percent: '50', duration: { payments: 1 } }];
    const desk = await deskWithTwo(db, { program: { incentives } });
    const id = await landFile(desk, [`S,ann,100.00,${day},c1`], ',customer_id');
    await undo(desk, id);
    expect(await referrals(desk.world)).toMatchObject([{ customer_id: 'c1', status: 'customer' }]);
    await land(desk, [`S,ann,100.00,${day},c1`], ',customer_id');
    expect((await booked(desk.world)).get('S')?.incentive).toBe('first');
  });
});

describe('refunds and disputes', () => {
  test('that came with it are taken back: the sale of another file earns again what they took', async () => {
    const { desk } = await imported();
    const id = await landFile(desk, [`R,,100.00,${day},S`], ',refund_of');
    expect(await lines(desk.world)).toEqual(['2000 declined', '400 pending', '-2000 declined']);
    const { counts, sums } = await undo(desk, id);
    expect(counts).toMatchObject({ sales: 0, refunds: 1 });
    expect(sums).toMatchObject([{ refunds: 10_000n, unpaid: 0n }]);
    expect((await booked(desk.world)).get('S')?.sales_status).toBe('complete');
    await release(desk);
    await payOut(desk.world, 'paid');
    expect((await payoutsOf(desk.world)).map((one) => one.amount)).toEqual([400n, 2_000n]);
    expect(await land(desk, [`R,,25.00,${day},S`], ',refund_of')).toMatchObject({ recorded: 1 });
    expect(await lines(desk.world)).toContain('-500 ready_for_payment');
  });

  test('that came with it after the payout: what they took is given again', async () => {
    const { desk } = await imported([`S,ann,100.00,${day}`]);
    await release(desk);
    await payOut(desk.world, 'paid');
    const id = await landFile(desk, [`R,,40.00,${day},S`], ',refund_of');
    await undo(desk, id);
    expect(await lines(desk.world)).toEqual([
      '2000 paid in paid',
      '800 ready_for_payment',
      '-800 ready_for_payment',
    ]);
  });

  test('of its own sales go with them', async () => {
    const { desk, id } = await imported(
      [`S,ann,100.00,${day},`, `R,,30.00,${day},S`, `Q,,20.00,${day},T`],
      ',refund_of',
    );
    expect((await undo(desk, id)).counts).toMatchObject({ sales: 1, refunds: 1, parked: 1 });
    expect(await lines(desk.world)).toEqual(['2000 declined', '-600 declined', '-1400 declined']);
    expect(
      await land(desk, [`S,ann,100.00,${day},`, `R,,50.00,${day},S`, `T,ann,20.00,${day},`], ',refund_of'),
    ).toMatchObject({ recorded: 3 });
    expect((await lines(desk.world)).filter((line) => line.endsWith('pending'))).toEqual([
      '2000 pending',
      '400 pending',
      '-1000 pending',
    ]);
  });

  test('of its sales that came with other files wait for the sales, and are booked when these come again', async () => {
    const { desk, id } = await imported([`S,ann,100.00,${day}`]);
    await refund(desk.world, { amount: 3_000n });
    await disputes(desk.world, { amount: 1_000n }, { state: 'lost', amount: 1_000n });
    expect((await undo(desk, id)).counts).toMatchObject({ sales: 1, waiting_again: 3 });
    expect(await refund(desk.world, { amount: 3_000n })).toEqual({ duplicates: 1 });
    await land(desk, [`S,ann,100.00,${day}`]);
    const sale = (await booked(desk.world)).get('S');
    expect(sale).toMatchObject({ commission: 2_000n, sales_status: 'partial_refunded' });
    expect((await lines(desk.world)).filter((line) => line.endsWith('pending')).sort()).toEqual([
      '-200 pending',
      '-600 pending',
      '2000 pending',
    ]);
    expect(await audited(desk.world)).toEqual([]);
  });

  test('an open dispute about its sale stops the sale that comes in its place as well', async () => {
    const { desk, id } = await imported([`S,ann,100.00,${day}`]);
    await disputes(desk.world, {});
    await undo(desk, id);
    await land(desk, [`S,ann,100.00,${day}`]);
    await release(desk);
    expect((await lines(desk.world)).sort()).toEqual(['-2000 declined', '2000 declined', '2000 pending']);
  });
});

describe('conflicts', () => {
  const conflictsOf = (desk: Desk) => listConflicts(db.sql, desk.world.accountId, { all: true, limit: 10 });

  test('that it brought are withdrawn, those about its sales too; what comes again is judged anew', async () => {
    const { desk, id } = await imported([`S,ann,100.00,${day}`]);
    const other = await landFile(desk, [`S,ann,70.00,${day}`]);
    expect((await undo(desk, other)).counts).toMatchObject({ sales: 0, conflicts: 1 });
    expect(await conflictsOf(desk)).toMatchObject([{ status: 'withdrawn', decided_by: 'Ada' }]);
    expect(await land(desk, [`S,ann,70.00,${day}`])).toMatchObject({ conflicts: 1 });
    expect((await conflictsOf(desk)).filter((one) => one.status === 'open')).toHaveLength(1);
    expect((await undo(desk, id)).counts).toMatchObject({ sales: 1, conflicts: 1 });
    const [withdrawn] = await conflictsOf(desk);
    await expect(
      db.transaction((session) =>
        acceptConflict(session, desk.world.mover, { conflictId: withdrawn!.id, by: 'x', reason: undefined }),
      ),
    ).rejects.toMatchObject({ code: 'state', message: expect.stringContaining('withdrawn') });
    expect(await land(desk, [`S,ann,70.00,${day}`])).toMatchObject({ recorded: 1 });
  });

  test.each([
    ['ann', 'restated'],
    ['bob', 'recorded anew'],
  ])(
    'that a person accepted stay (%s: %s); undoing the sale’s own import takes a restated one back',
    async (ref, way) => {
      const { desk, id } = await imported([`S,ann,100.00,${day}`]);
      const other = await landFile(desk, [`S,${ref},120.00,${day}`, `N,ann,10.00,${day}`]);
      const [conflict] = await conflictsOf(desk);
      await db.transaction((session) =>
        acceptConflict(session, desk.world.mover, { conflictId: conflict!.id, by: 'x', reason: undefined }),
      );
      expect((await undo(desk, other)).counts).toMatchObject({ sales: 1, accepted_that_stay: 1 });
      expect((await booked(desk.world)).get('S')).toMatchObject({ affiliate: ref, amount: 12_000n });
      expect((await undo(desk, id)).counts.sales).toBe(way === 'restated' ? 1 : 0);
      expect((await booked(desk.world)).has('S')).toBe(way !== 'restated');
    },
  );
});

test('an event log is undone with its events, which may come again', async () => {
  const desk = await deskWithTwo(db);
  const event = (id: string, event_type: string, more: object) =>
    JSON.stringify({
      external_event_id: id,
      event_type,
      event_name: 'x',
      customer_id: 'c1',
      occurred_at: '2026-01-10T10:00:00Z',
      ...more,
    });
  const paid = { sale_amount: 50, sale_amount_currency: 'USD' };
  const log = `${[
    event('e1', 'lead', { metadata: { affiliate_id: 'ann' } }),
    event('e2', 'conversion', paid),
    event('e3', 'conversion', { ...paid, customer_id: 'c9' }),
  ].join('\n')}\n`;
  const first = await desk.land('events', log);
  expect(first.counts).toMatchObject({ recorded: 2, parked: 1 });
  const undone = await undo(desk, (await smallestImport(desk))!);
  expect(undone.counts).toMatchObject({ sales: 1, events: 1, parked: 1 });
  const second = await desk.land('events', log);
  expect(second.counts).toEqual(first.counts);
  expect(await audited(desk.world)).toEqual([]);
});

describe('what can’t be undone', () => {
  test('is refused: without name or reason, of another account, unknown, of people', async () => {
    const { desk, id } = await imported();
    await expect(undo(desk, id, { by: ' ' })).rejects.toMatchObject({ code: 'usage' });
    await expect(undo(desk, id, { reason: '' })).rejects.toMatchObject({ code: 'usage' });
    await expect(undo(desk, newId(today))).rejects.toMatchObject({ code: 'not-found' });
    const stranger = await deskWithTwo(db);
    await expect(undo(stranger, id)).rejects.toMatchObject({ code: 'not-found' });
    await desk.land('affiliates', 'ref,name\ncyd,Cyd\n');
    await expect(undo(desk, (await smallestImport(desk, 'affiliates'))!)).rejects.toMatchObject({
      code: 'state',
      message: "An import of affiliates can't be undone; only sales and events can.",
    });
    expect(await lines(desk.world)).toEqual(['2000 pending', '400 pending']);
  });
});

/** The smallest import that was not undone, of that kind if one is named. */
async function smallestImport(desk: Desk, kind?: 'affiliates'): Promise<string | undefined> {
  const rows = await db.sql
    .selectFrom('import')
    .select(['id', 'kind'])
    .where('account_id', '=', desk.world.accountId)
    .where('undone_at', 'is', null)
    .orderBy('rows')
    .execute();
  const found = rows.filter((one) => kind === undefined || one.kind === kind);
  return found[0]?.id;
}
