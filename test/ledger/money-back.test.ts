import { describe, expect, test } from 'vitest';
import { readId } from '../../src/ids.ts';
import { acceptConflict } from '../../src/ledger/accept.ts';
import { listConflicts } from '../../src/ledger/conflicts.ts';
import { keepConflicts } from '../../src/ledger/keep.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { givenId } from '../../src/ledger/take-back.ts';
import { audited, booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import type { World } from '../support/world.ts';
import { claimNow, commissionsOf, march, payoutsOf, ready } from './claiming.ts';
import { disputes } from './disputing.ts';
import { lines, payOut, prove, type Refund, refund, sold } from './refunding.ts';
import { deskWithTwo, header, land } from './selling.ts';
import { landFile, undo } from './undoing.ts';

const { db } = await testDatabase();

const whole: Refund = { amount: 10_000n, isTotal: true };
/** The refund of the whole sale, made on 20 February, fails on the 25th. */
const failed: Refund = {
  externalId: 'r-failed',
  amount: 10_000n,
  givesBack: true,
  madeAt: '2026-02-20T12:00:00Z',
  occurredAt: '2026-02-25T12:00:00Z',
};

async function statusOf(world: World): Promise<string> {
  const sale = await db.sql
    .selectFrom('conversion')
    .select('sales_status')
    .where('account_id', '=', world.accountId)
    .where('external_id', '=', 'S')
    .executeTakeFirstOrThrow();
  return sale.sales_status;
}

const release = (world: World) =>
  db.transaction((session) => releaseHolds(session, world.mover, { asOf: new Date('2026-03-02T03:00:00Z') }));

async function accept(world: World) {
  const [conflict] = await listConflicts(db.sql, world.accountId, { all: false, limit: 10 });
  return db.transaction(async (session) => {
    const choice = { conflictId: conflict!.id, by: 'Ada', reason: undefined };
    const accepted = await acceptConflict(session, world.mover, choice);
    await prove(session, world);
    return accepted;
  });
}

describe('a refund that failed', () => {
  test('gives back what it had taken: the commission is pending anew under its hold, and released with all its lines', async () => {
    const { world } = await sold(db);
    await refund(world, whole);
    expect(await lines(world)).toEqual(['2000 declined', '-2000 declined']);
    expect(await refund(world, failed)).toEqual({ recorded: 1 });
    expect(await lines(world)).toEqual(['2000 pending', '2000 pending', '-2000 pending']);
    expect(new Set((await commissionsOf(world)).map((one) => one.hold_until.getTime())).size).toBe(1);
    expect(await statusOf(world)).toBe('complete');
    await release(world);
    await payOut(world, 'paid');
    expect(await payoutsOf(world)).toMatchObject([{ amount: 2_000n, lines: 3, status: 'paid' }]);
  });

  test('in part leaves the sale in part refunded, and the sum right to the cent', async () => {
    const { world } = await sold(db, { amount: 1_001n });
    await refund(world, { amount: 3_333n, isTotal: true });
    await refund(world, {
      externalId: 'r-2',
      amount: 6_667n,
      isTotal: true,
      occurredAt: '2026-02-21T12:00:00Z',
    });
    await refund(world, { ...failed, amount: 3_333n });
    const sum = (await commissionsOf(world)).reduce((total, one) => total + one.amount, 0n);
    expect(sum).toBe(1_001n - 334n);
    expect(await statusOf(world)).toBe('partial_refunded');
  });

  test('takes the commission out of a draft payout, and the next prepare pays all of it', async () => {
    const { world } = await sold(db, ready());
    await refund(world, { amount: 4_000n, isTotal: true });
    await payOut(world, 'draft');
    await refund(world, { ...failed, amount: 4_000n });
    expect(await payoutsOf(world)).toMatchObject([{ amount: 1_200n, status: 'canceled' }]);
    expect((await claimNow(world)).batches).toMatchObject([{ amount: 2_000n, lines: 3 }]);
  });

  test.each(['approved', 'exported', 'paid'] as const)(
    'after the payout was %s is ready at once, and nets with what was taken back',
    async (stage) => {
      const { world, affiliateId } = await sold(db, ready());
      await payOut(world, stage);
      await refund(world, { ...whole, occurredAt: '2026-03-01T08:00:00Z' });
      const madeAt = '2026-03-01T08:00:00Z';
      await refund(world, { ...failed, madeAt, occurredAt: '2026-03-04T08:00:00Z' });
      const back = (await commissionsOf(world)).find((one) => one.reverses && one.amount > 0n)!;
      expect(back).toMatchObject({ amount: 2_000n, status: 'ready_for_payment', payout_id: null });
      expect(back.hold_until).toEqual(new Date('2026-03-04T08:00:00Z'));
      await world.sale(affiliateId, ready({ amount: 900n, hold_until: new Date('2026-03-10T00:00:00Z') }));
      expect((await claimNow(world, march)).batches).toMatchObject([{ amount: 900n, lines: 3 }]);
    },
  );

  test('of a banned affiliate gives back to what stays declined', async () => {
    const { world, affiliateId } = await sold(db);
    await refund(world, whole);
    await db.sql.updateTable('affiliate').set({ status: 'banned' }).where('id', '=', affiliateId).execute();
    await refund(world, failed);
    expect(await lines(world)).toEqual(['2000 declined', '2000 declined', '-2000 declined']);
  });

  test('is known by its id, whatever moment its double has', async () => {
    const { world } = await sold(db);
    await refund(world, whole);
    const double = { ...failed, occurredAt: '2026-02-25T12:00:01Z' };
    expect(await refund(world, failed, double)).toEqual({ recorded: 1, duplicates: 1 });
    expect(await refund(world, double)).toEqual({ duplicates: 1 });
  });

  test('may come before its refund, and before its sale: the end is the same', async () => {
    const { world, affiliateId } = await sold(db);
    expect(await refund(world, failed)).toEqual({ recorded: 1 });
    await refund(world, whole);
    expect(await lines(world)).toEqual(['2000 pending']);
    expect(await statusOf(world)).toBe('complete');
    const early = { externalId: 'early', saleExternalId: 'T' };
    expect(await refund(world, { ...failed, ...early })).toEqual({ parked: 1 });
    await world.sale(affiliateId, {}, { external_id: 'T' });
    await refund(world, { ...whole, saleExternalId: 'T', externalId: 'late' });
    expect(await lines(world)).toEqual(['2000 pending', '2000 pending', '2000 pending', '-2000 pending']);
  });

  test('says nothing new when a later total knows of it already, or does not know its refund yet', async () => {
    const { world } = await sold(db);
    await refund(world, { amount: 6_000n, isTotal: true });
    await refund(world, {
      externalId: 'r-2',
      amount: 2_000n,
      isTotal: true,
      occurredAt: '2026-02-26T12:00:00Z',
    });
    await refund(world, { ...failed, amount: 4_000n });
    await refund(world, {
      ...failed,
      externalId: 'r-unseen',
      amount: 1_000n,
      madeAt: '2026-02-27T12:00:00Z',
      occurredAt: '2026-02-28T12:00:00Z',
    });
    expect(await lines(world)).toEqual(['2000 pending', '800 pending', '-1200 pending']);
  });

  test('comes back to a lost dispute where both had taken the whole sale', async () => {
    const { world } = await sold(db);
    await refund(world, { amount: 4_000n, isTotal: true });
    await disputes(world, { state: 'lost', occurredAt: '2026-02-22T12:00:00Z' });
    expect(await lines(world)).toEqual(['2000 declined', '-800 declined', '-1200 declined']);
    await refund(world, { ...failed, amount: 4_000n });
    expect(await lines(world)).toEqual(['2000 declined', '-800 declined', '-1200 declined']);
    expect(await statusOf(world)).toBe('refunded');
    await disputes(world, { state: 'won', occurredAt: '2026-02-27T12:00:00Z' });
    expect(await statusOf(world)).toBe('complete');
    expect((await commissionsOf(world)).reduce((sum, one) => sum + one.amount, 0n)).toBe(2_000n);
  });
});

describe('a dispute that was lost', () => {
  const lost = { state: 'lost' as const, occurredAt: '2026-02-21T12:00:00Z' };
  const won = { state: 'won' as const, occurredAt: '2026-02-22T12:00:00Z' };

  test('and is won later gives back what it took; lost once more, it takes it again', async () => {
    const { world } = await sold(db);
    await disputes(world, {}, lost);
    expect(await statusOf(world)).toBe('refunded');
    expect(await disputes(world, won)).toEqual({ recorded: 1 });
    expect(await lines(world)).toEqual(['2000 pending', '2000 pending', '-2000 pending']);
    expect(await statusOf(world)).toBe('complete');
    expect(await disputes(world, { ...lost, occurredAt: '2026-02-23T12:00:00Z' })).toEqual({ recorded: 1 });
    expect(await statusOf(world)).toBe('refunded');
    expect(await disputes(world, { ...won, occurredAt: '2026-02-24T12:00:00Z' })).toEqual({ recorded: 1 });
    expect((await commissionsOf(world)).reduce((sum, one) => sum + one.amount, 0n)).toBe(2_000n);
  });

  test('and won in the same file counts as won, in whatever order they stand there', async () => {
    const { world } = await sold(db);
    expect(await disputes(world, won, {}, lost)).toEqual({ recorded: 3 });
    expect(await lines(world)).toEqual(['2000 pending']);
    expect(await disputes(world, lost)).toEqual({ duplicates: 1 });
  });

  test('and won at the very same moment is a conflict, which a person can accept', async () => {
    const { world } = await sold(db);
    await disputes(world, lost);
    expect(await disputes(world, { ...won, occurredAt: lost.occurredAt })).toEqual({ conflicts: 1 });
    expect(await statusOf(world)).toBe('refunded');
    expect((await accept(world)).booked).toMatchObject([{ amount: 2_000n, status: 'pending' }]);
    expect(await statusOf(world)).toBe('complete');
    expect(await disputes(world, { ...won, occurredAt: lost.occurredAt })).toEqual({ duplicates: 1 });
  });
});

describe('a refunded total that fell', () => {
  const columns = ',refunded_total';
  const row = (total: string) => `S,ann,100.00,USD,2026-01-10T10:00:00Z,${total}`;
  const sums = async (desk: Desk) =>
    (await commissionsOf(desk.world)).reduce((total, one) => total + one.amount, 0n);

  test.each([
    ['0.00', 'complete', 2_000n],
    ['10.00', 'partial_refunded', 1_800n],
  ])('to %s is a conflict: accepted, the difference is given back', async (total, status, left) => {
    const desk = await deskWithTwo(db);
    await land(desk, [row('25.00')], columns);
    expect(await land(desk, [row(total)], columns)).toEqual({
      conflicts: 1,
      differences: [{ refunded_total: { ours: '25.00', theirs: total } }],
    });
    expect(await sums(desk)).toBe(1_500n);
    expect(await accept(desk.world)).toMatchObject({
      externalId: expect.stringMatching(/^S#/),
      way: 'restated',
    });
    expect(await sums(desk)).toBe(left);
    expect(await statusOf(desk.world)).toBe(status);
    expect(await audited(desk.world)).toEqual([]);
    const [, back] = await db.sql
      .selectFrom('refund')
      .select('external_id')
      .where('account_id', '=', desk.world.accountId)
      .orderBy('place')
      .execute();
    expect(givenId(back!.external_id)).toMatch(/^S#refunded:[0-9.]+$/);
    expect(await land(desk, [row(total)], columns)).toMatchObject({ duplicates: 1 });
  });

  test('and came to the same again is a conflict, not a duplicate, unless it is the same file', async () => {
    const desk = await deskWithTwo(db);
    const first = [row('25.00')];
    await land(desk, first, columns);
    await land(desk, [row('0.00')], columns);
    await accept(desk.world);
    expect(await land(desk, first, columns)).toMatchObject({ duplicates: 1 });
    expect(await land(desk, [row('25.00'), 'T,ann,1.00,USD,2026-01-10T10:00:00Z,'], columns)).toMatchObject({
      recorded: 1,
      conflicts: 1,
    });
    await accept(desk.world);
    expect(await sums(desk)).toBe(1_520n);
    expect(await land(desk, [row('40.00')], columns)).toMatchObject({ updated: 1 });
    expect(await sums(desk)).toBe(1_220n);
  });

  test('that a person did not accept is asked about again when a later file says so, and not when the same one does', async () => {
    const desk = await deskWithTwo(db);
    await land(desk, [row('25.00')], columns);
    await land(desk, [row('10.00')], columns);
    const [conflict] = await listConflicts(db.sql, desk.world.accountId, { all: false, limit: 10 });
    const choice = { conflictIds: [conflict!.id], by: 'Ada', reason: undefined };
    await db.transaction((session) => keepConflicts(session, desk.world.mover, choice));
    expect(await land(desk, [row('10.00')], columns)).toMatchObject({ conflicts: 1 });
    const later = ['T,ann,1.00,USD,2026-01-10T10:00:00Z,', row('10.00')];
    expect(await land(desk, later, columns)).toMatchObject({ conflicts: 1 });
    expect(await listConflicts(db.sql, desk.world.accountId, { all: false, limit: 10 })).toHaveLength(1);
  });

  test('whose moment is later than what was recorded needs no person', async () => {
    const { world } = await sold(db);
    await refund(world, { ...whole, amount: 5_000n });
    const later = { externalId: 'r-2', isTotal: true, amount: 2_000n, occurredAt: '2026-02-21T12:00:00Z' };
    expect(await refund(world, later)).toEqual({ recorded: 1 });
    expect(await lines(world)).toEqual(['2000 pending', '600 pending', '-1000 pending']);
    const earlier = { externalId: 'r-3', isTotal: true, amount: 7_000n, occurredAt: '2026-02-20T13:00:00Z' };
    expect(await refund(world, earlier)).toEqual({ duplicates: 1 });
  });

  test('in an export of Stripe’s payments is a conflict as well', async () => {
    const desk = await deskWithTwo(db);
    const payments = (refunded: string) =>
      [
        'id,Created date (UTC),Amount,Amount Refunded,Currency,Status,affiliate_id (metadata)',
        `ch_1,2026-01-10 18:37:41,100.00,${refunded},usd,Paid,ann`,
        `ch_2,2026-01-10 18:37:41,50.00,0.00,usd,Paid,ann`,
        '',
      ].join('\n');
    await desk.land('sales', payments('100.00'));
    expect((await booked(desk.world)).get('ch_1')!.commission_status).toBe('declined');
    expect((await desk.land('sales', payments('0.00'))).counts).toMatchObject({
      conflicts: 1,
      duplicates: 1,
    });
    await accept(desk.world);
    expect((await booked(desk.world)).get('ch_1')).toMatchObject({
      sales_status: 'complete',
      commission_status: 'pending',
    });
  });
});

describe('undoing an import', () => {
  const charge = (id: string) => ({
    id,
    amount: 10_000,
    currency: 'usd',
    created: 1_768_039_200,
    customer: 'c',
    metadata: { affiliate_id: 'ann' },
  });
  let events = 0;
  const event = (type: string, object: object, day: number) =>
    `${JSON.stringify({
      id: `evt_${++events}`,
      object: 'event',
      type,
      created: 1_768_039_200 + day * 86_400,
      livemode: true,
      data: { object },
    })}\n`;
  const total = (amount: number, day: number) =>
    event('charge.refunded', { ...charge('S'), amount_refunded: amount }, day);
  const failure = (amount: number, made: number, day: number) => {
    const refunded = { id: `re_${made}`, amount, charge: 'S', currency: 'usd', status: 'failed' };
    return event('refund.failed', { ...refunded, created: 1_768_039_200 + made * 86_400 }, day);
  };
  const closed = (status: string, day: number) =>
    event('charge.dispute.closed', { id: 'dp', charge: 'S', amount: 10_000, currency: 'usd', status }, day);

  /** A desk that has the sale S and each of these as a log of its own; the UUIDs of their imports. */
  async function deskOf(...logs: string[]): Promise<{ desk: Desk; imports: string[] }> {
    const desk = await deskWithTwo(db);
    await desk.land('events', event('charge.succeeded', charge('S'), 0));
    const imports: string[] = [];
    for (const log of logs) imports.push(await importOf(desk, log));
    return { desk, imports };
  }

  async function importOf(desk: Desk, log: string): Promise<string> {
    const { report } = await desk.land('events', log);
    expect(report.conflict_rows).toEqual([]);
    return readId(report.import)!.id;
  }

  const left = async (desk: Desk) => {
    const rows = await commissionsOf(desk.world);
    return [rows.reduce((sum, one) => sum + one.amount, 0n), await statusOf(desk.world)];
  };

  test('that brought a failure takes back again what had come back', async () => {
    const { desk, imports } = await deskOf(total(10_000, 1), failure(10_000, 1, 3));
    expect(await left(desk)).toEqual([2_000n, 'complete']);
    await undo(desk, imports[1]!);
    expect(await left(desk)).toEqual([0n, 'refunded']);
    expect((await commissionsOf(desk.world)).map((one) => one.status)).not.toContain('pending');
  });

  test('that brought the refund leaves nothing to give back to its failure', async () => {
    const { desk, imports } = await deskOf(total(4_000, 1), failure(4_000, 1, 3), total(1_000, 5));
    await undo(desk, imports[0]!);
    expect(await left(desk)).toEqual([1_800n, 'partial_refunded']);
    await undo(desk, imports[2]!);
    expect(await left(desk)).toEqual([2_000n, 'complete']);
  });

  test('that brought one of several totals leaves what the latest of the others says', async () => {
    const { desk, imports } = await deskOf(total(3_000, 1), total(6_000, 2), total(4_500, 3));
    expect(await left(desk)).toEqual([1_100n, 'partial_refunded']);
    await undo(desk, imports[0]!);
    expect(await left(desk)).toEqual([1_100n, 'partial_refunded']);
    await undo(desk, imports[2]!);
    expect(await left(desk)).toEqual([800n, 'partial_refunded']);
  });

  test('that brought one end of a dispute leaves the other', async () => {
    const { desk, imports } = await deskOf(closed('lost', 5), closed('won', 6));
    expect(await left(desk)).toEqual([2_000n, 'complete']);
    await undo(desk, imports[1]!);
    expect(await left(desk)).toEqual([0n, 'refunded']);
    expect(await importOf(desk, closed('won', 7))).toBeDefined();
    expect(await left(desk)).toEqual([2_000n, 'complete']);
    await undo(desk, imports[0]!);
    expect(await left(desk)).toEqual([2_000n, 'complete']);
  });

  test('that brought the sale lets its refunds and their failures wait, and count when it comes again', async () => {
    const desk = await deskWithTwo(db);
    const sale = 'S,ann,100.00,USD,2026-01-10T10:00:00Z';
    const first = await landFile(desk, [sale]);
    await desk.land('events', total(4_000, 1) + total(7_000, 2));
    await desk.land('events', failure(3_000, 2, 4) + closed('lost', 5) + closed('won', 6));
    expect(await left(desk)).toEqual([1_200n, 'partial_refunded']);
    await undo(desk, first);
    await desk.land('sales', `${header}\n${sale}\n`, { again: true });
    expect((await booked(desk.world)).get('S')).toMatchObject({ sales_status: 'partial_refunded' });
    const rows = await commissionsOf(desk.world);
    const counting = rows.filter((one) => one.status !== 'declined');
    expect(counting.reduce((sum, one) => sum + one.amount, 0n)).toBe(1_200n);
  });

  test('leaves a total that a person has accepted from it', async () => {
    const desk = await deskWithTwo(db);
    const row = (total: string) => `S,ann,100.00,USD,2026-01-10T10:00:00Z,${total}`;
    await landFile(desk, [row('25.00')], ',refunded_total');
    const second = await landFile(desk, [row('10.00')], ',refunded_total');
    await accept(desk.world);
    await undo(desk, second);
    expect(await left(desk)).toEqual([1_800n, 'partial_refunded']);
  });
});
