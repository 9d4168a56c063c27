import { describe, expect, test } from 'vitest';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { deskWithTwo, header } from './selling.ts';

const { db } = await testDatabase();

const csv = (...rows: string[]) => `${[`${header},customer_id,customer_email`, ...rows].join('\n')}\n`;
const log = (...events: Record<string, unknown>[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

/** A desk that knows Kim by her e-mail address, as a customer of Ann's. */
async function deskWithKim(): Promise<Desk> {
  const desk = await deskWithTwo(db);
  await desk.land('sales', csv('s-1,ann,10.00,USD,2026-01-01,,kim@example.com'));
  return desk;
}

async function customerIds(desk: Desk): Promise<(string | null)[]> {
  return (await referrals(desk.world)).map(({ customer_id }) => customer_id).sort();
}

describe('a customer who is known by an e-mail address', () => {
  const first = 's-2,ann,100.00,USD,2026-01-10,cus-k,kim@example.com';
  const renewal = 's-3,,100.00,USD,2026-02-10,cus-k,';

  test.each([
    ['one after the other', [csv(first), csv(renewal)]],
    ['in one file', [csv(first, renewal)]],
    ['in one file, the renewal first', [csv(renewal, first)]],
  ])('is known by the customer id as well that a sale of theirs gives: %s', async (_, files) => {
    const desk = await deskWithKim();
    for (const file of files) await desk.land('sales', file);
    const sale = (await booked(desk.world)).get('s-3');
    expect(sale).toMatchObject({ affiliate: 'ann', commission: 2_000n });
    expect(await customerIds(desk)).toEqual(['cus-k']);
    expect(await audited(desk.world)).toEqual([]);
  });

  test('is not known by the customer id of a sale that names another affiliate, or none', async () => {
    const desk = await deskWithKim();
    await desk.land(
      'sales',
      csv(first.replace('ann', ''), first.replace('ann', 'bob').replace('s-2', 's-4')),
    );
    const { counts } = await desk.land('sales', csv(renewal));
    expect(await customerIds(desk)).toEqual([null]);
    expect(counts).toMatchObject({ rejected: 1 });
  });

  test.each([
    ['as they happened', (rows: string[]) => rows],
    ['the other way round', (rows: string[]) => rows.toReversed()],
  ])('has the customer id of the earliest sale, and keeps it: %s', async (_, inOrder) => {
    const desk = await deskWithKim();
    const later = 's-4,ann,100.00,USD,2026-01-11,cus-l,kim@example.com';
    await desk.land('sales', csv(...inOrder([first, later])));
    await desk.land('sales', csv('s-5,ann,1.00,USD,2026-01-02,cus-m,kim@example.com'));
    expect(await customerIds(desk)).toEqual(['cus-k']);
    expect((await booked(desk.world)).size).toBe(4);
  });
});

test('a customer id that two customers’ rows give is the one’s who had it first', async () => {
  const desk = await deskWithKim();
  await desk.land('sales', csv('s-9,ann,10.00,USD,2026-01-01,,lee@example.com'));
  await desk.land(
    'sales',
    csv(
      's-2,ann,1.00,USD,2026-01-12,cus-k,kim@example.com',
      's-3,ann,1.00,USD,2026-01-11,cus-k,lee@example.com',
    ),
  );
  const known = await referrals(desk.world);
  expect(known.map(({ email, customer_id }) => [email, customer_id]).sort()).toEqual([
    ['kim@example.com', null],
    ['lee@example.com', 'cus-k'],
  ]);
});

describe('a customer who is known by a click', () => {
  const lead = { event_type: 'lead', event_name: 'signed up', click_id: 'click-1', customer_id: 'cus-k' };
  const sale = {
    event_type: 'conversion',
    event_name: 'paid',
    customer_id: 'cus-k',
    external_event_id: 'e-1',
    occurred_at: '2026-01-05T10:00:00Z',
    sale_amount: 50,
    sale_amount_currency: 'USD',
  };

  test.each([
    ['before the sale', [log(lead, sale)]],
    ['behind the sale', [log(sale, lead)]],
    ['in a log before', [log(lead), log(sale)]],
  ])('is known by the customer id as well that a lead of theirs gives: %s', async (_, logs) => {
    const desk = await deskWithTwo(db);
    await desk.land('referrals', 'affiliate,click_id,status\nann,click-1,lead\n');
    const landed = [];
    for (const one of logs) landed.push((await desk.land('events', one)).counts);
    expect(landed.map(({ parked }) => parked)).toEqual(logs.map(() => 0));
    expect((await booked(desk.world)).get('e-1')).toMatchObject({ affiliate: 'ann', commission: 1_000n });
    expect(await customerIds(desk)).toEqual(['cus-k']);
  });
});
