import { describe, expect, test } from 'vitest';
import { retryParked } from '../../../src/imports/import.ts';
import { audited, booked, referrals } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import type { Desk } from '../../support/desk.ts';
import { deskOfAnn } from '../ann.ts';

const { db } = await testDatabase();

const event = (id: string | undefined, given: Record<string, unknown> = {}) =>
  JSON.stringify({
    event_name: 'signup',
    event_type: 'lead',
    customer_id: 'c-1',
    external_event_id: id,
    ...given,
  });
const sale = (id: string, given: Record<string, unknown> = {}) =>
  event(id, {
    event_name: 'paid',
    event_type: 'conversion',
    sale_amount: 50,
    sale_amount_currency: 'USD',
    ...given,
  });

const land = (desk: Desk, ...lines: string[]) => desk.land('events', `${lines.join('\n')}\n`);
const retry = (desk: Desk, now?: Date) => retryParked(desk.work(now ? { now } : {}));
const meet = (desk: Desk) => desk.land('referrals', 'affiliate,customer_id\nann,c-1\n');

async function parked({ world }: Desk): Promise<(string | null)[]> {
  const rows = await db.sql
    .selectFrom('parked_event')
    .select('external_event_id')
    .where('account_id', '=', world.accountId)
    .orderBy('line')
    .execute();
  return rows.map((row) => row.external_event_id);
}

describe('a line whose referral nobody knows', () => {
  test('is parked, and tried again until the referral is known; then it is recorded as if it came that day', async () => {
    const desk = await deskOfAnn(db);
    const landed = await land(
      desk,
      event('e-1', { event_type: 'trial' }),
      sale('e-2', { occurred_at: '2026-01-10T10:00:00Z', is_subscription: true }),
      event('e-3', { customer_id: 'c-9' }),
    );
    expect(landed).toMatchObject({
      counts: { rows: 3, recorded: 0, parked: 3 },
      totals: {},
      report: { rejects_file: null },
    });
    expect(landed.exitCode ?? 0).toBe(0);
    expect(await retry(desk)).toMatchObject({
      counts: { rows: 3, recorded: 0, duplicates: 0, still_parked: 3 },
      totals: {},
    });
    await meet(desk);
    expect(await retry(desk)).toMatchObject({
      counts: { rows: 3, recorded: 2, duplicates: 0, conflicts: 0, still_parked: 1 },
      totals: { USD: { sales: '50.00', commissions: '10.00' } },
    });
    expect(await parked(desk)).toEqual(['e-3']);
    expect((await booked(desk.world)).get('e-2')).toMatchObject({
      affiliate: 'ann',
      line: 2,
      commission: 1_000n,
    });
    expect(await referrals(desk.world)).toMatchObject([{ customer_id: 'c-1', status: 'active' }]);
    expect(await retry(desk)).toMatchObject({ counts: { rows: 1, recorded: 0, still_parked: 1 } });
    expect(await audited(desk.world)).toEqual([]);
  });

  test('without a moment of its own keeps the day on which it was received', async () => {
    const desk = await deskOfAnn(db);
    await land(desk, sale('e-1'));
    await meet(desk);
    await retry(desk, new Date('2026-05-01T00:00:00Z'));
    expect((await booked(desk.world)).get('e-1')?.occurred_at).toEqual(new Date('2026-03-02T03:00:00Z'));
  });

  test('is a duplicate when it comes again, in the same log and in a later one, whatever its type', async () => {
    const desk = await deskOfAnn(db);
    expect(
      (await land(desk, event('e-1'), sale('e-2'), sale('e-2'), event('e-1'), sale('e-1'), event('e-2')))
        .counts,
    ).toMatchObject({ parked: 2, duplicates: 4 });
    expect((await land(desk, sale('e-2'), event('e-1'), sale('e-1'))).counts).toMatchObject({
      parked: 0,
      duplicates: 3,
    });
    expect(await parked(desk)).toEqual(['e-1', 'e-2']);
    await meet(desk);
    expect(await retry(desk)).toMatchObject({ counts: { rows: 2, recorded: 2 } });
    expect((await land(desk, sale('e-2'), event('e-1'), event('e-1'))).counts).toMatchObject({
      duplicates: 3,
    });
  });

  test('does not keep away a later line with its id that can be recorded', async () => {
    const desk = await deskOfAnn(db);
    await meet(desk);
    const day = { occurred_at: '2026-01-10' };
    const landed = await land(desk, sale('e-1', { ...day, customer_id: 'c-9' }), sale('e-1', day));
    expect(landed.counts).toMatchObject({ parked: 1, recorded: 1 });
    await desk.land('referrals', 'affiliate,customer_id\nann,c-9\n');
    expect(await retry(desk)).toMatchObject({ counts: { rows: 1, duplicates: 1, still_parked: 0 } });
  });

  test('is found to be a duplicate, or a conflict that a person must see, when the sale came another way meanwhile', async () => {
    const desk = await deskOfAnn(db);
    await land(desk, sale('e-1', { occurred_at: '2026-01-10' }), sale('e-2', { occurred_at: '2026-01-10' }));
    await desk.land(
      'sales',
      'external_id,affiliate,amount,currency,occurred_at,customer_id\ne-1,ann,50,USD,2026-01-10,c-1\ne-2,ann,51,USD,2026-01-10,c-1\n',
    );
    expect(await retry(desk)).toMatchObject({
      counts: { rows: 2, recorded: 0, duplicates: 1, conflicts: 1, still_parked: 0 },
      exitCode: 3,
    });
    expect(await parked(desk)).toEqual([]);
    expect((await booked(desk.world)).get('e-2')?.amount).toBe(5_100n);
  });

  test('stays parked when it can’t be recorded for another reason by now, and is tried again', async () => {
    const desk = await deskOfAnn(db, { rates: ['EUR,USD,2026-01-10,1.1,ECB'] });
    await land(desk, sale('e-1', { sale_amount_currency: 'EUR', occurred_at: '2026-01-10T12:00:00Z' }));
    await desk.put('rates.csv', 'from,to,day,rate,source\n');
    await meet(desk);
    expect(await retry(desk)).toMatchObject({ counts: { rows: 1, still_parked: 1 } });
    await desk.put('rates.csv', 'from,to,day,rate,source\nEUR,USD,2026-01-10,1.1,ECB\n');
    expect(await retry(desk)).toMatchObject({ counts: { rows: 1, recorded: 1 } });
  });

  test('without an id of its own is parked each time it comes', async () => {
    const desk = await deskOfAnn(db);
    await land(desk, event(undefined), event(undefined));
    expect(await parked(desk)).toEqual([null, null]);
    await meet(desk);
    expect(await retry(desk)).toMatchObject({ counts: { rows: 2, recorded: 2, still_parked: 0 } });
  });

  test('keeps its source’s id prefix', async () => {
    const desk = await deskOfAnn(db, {
      sources: [{ ref: 'log', kind: 'affonso_events', id_prefix: 'aff:' }],
    });
    await land(desk, sale('e-1'));
    expect(await parked(desk)).toEqual(['aff:e-1']);
    await meet(desk);
    await retry(desk);
    expect([...(await booked(desk.world)).keys()]).toEqual(['aff:e-1']);
  });
});

test('with nothing parked, a retry does nothing', async () => {
  const desk = await deskOfAnn(db);
  expect(await retry(desk)).toMatchObject({ counts: { rows: 0, recorded: 0, still_parked: 0 }, totals: {} });
});

test('a log that comes again is nothing but duplicates, also its lines without an id', async () => {
  const desk = await deskOfAnn(db);
  await meet(desk);
  const milestone = event(undefined, { event_type: 'milestone', event_name: 'first_login' });
  const lines = [milestone, milestone, event(undefined, { customer_id: 'c-9' }), event('e-1'), sale('e-2')];
  const log = `${lines.join('\n')}\n`;
  expect((await desk.land('events', log)).counts).toMatchObject({ recorded: 4, parked: 1 });
  for (const _ of [1, 2]) {
    expect((await desk.land('events', log, { again: true })).counts).toMatchObject({
      rows: 5,
      recorded: 0,
      duplicates: 5,
      parked: 0,
    });
  }
  // In another log the same words are another event.
  expect((await land(desk, milestone)).counts).toMatchObject({ recorded: 1 });
});
