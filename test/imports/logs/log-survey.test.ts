import { expect, test } from 'vitest';
import { readExpected } from '../../../src/imports/import.ts';
import { booked } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import { deskOfAnn } from '../ann.ts';

const { db } = await testDatabase();

const conversion = (id: string, more: Record<string, unknown>) =>
  JSON.stringify({
    event_name: 'paid',
    event_type: 'conversion',
    customer_id: 'c-1',
    external_event_id: id,
    sale_amount_currency: 'USD',
    ...more,
  });

/** A lead, sales that end in every way, and a blank line. */
const affonso = [
  '{"event_name":"signup","event_type":"lead","customer_id":"c-1","metadata":{"affiliate_id":"ann"}}',
  conversion('e-1', { sale_amount: 100 }),
  conversion('e-1', { sale_amount: 100 }),
  '',
  conversion('e-2', { sale_amount: 0.5, sale_amount_currency: 'usd', customer_id: null }),
  conversion('e-3', { sale_amount: -20.25 }),
  conversion('e-4', { sale_amount: 7, sale_amount_currency: 'EUR', customer_id: 'stranger' }),
].join('\n');

const event = (type: string, object: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    id: `evt_${type}_${object.id}`,
    object: 'event',
    type,
    created: 1_768_039_200,
    livemode: true,
    data: { object: { created: 1_768_039_200, currency: 'usd', ...object } },
    ...more,
  });

/** Charges with and without a partner, one that is only authorised, one of test mode, and what else tells of them. */
const stripe = [
  event('customer.updated', { id: 'cus_1', metadata: { affiliate_id: 'ann' } }),
  event('charge.succeeded', { id: 'ch_1', amount: 5000, customer: 'cus_1' }),
  event('charge.succeeded', { id: 'ch_2', amount: 1250 }),
  event('charge.succeeded', { id: 'ch_3', amount: 9900, captured: false }),
  event('charge.captured', { id: 'ch_3', amount: 9900, amount_captured: 900 }),
  event('charge.succeeded', { id: 'ch_4', amount: 700 }, { livemode: false }),
  event('charge.succeeded', { id: 'ch_5', amount: 700, currency: 'jpy' }),
  event('invoice.paid', { id: 'in_1', charge: 'ch_1', amount_paid: 5000, customer: 'cus_1' }),
  event('charge.refunded', { id: 'ch_1', amount_refunded: 5000, customer: 'cus_1' }),
].join('\n');

test('a log that agrees with its control totals lands, whatever becomes of its lines', async () => {
  const desk = await deskOfAnn(db);
  const expected = readExpected('6', ['USD=180.25', 'EUR=7']);
  const { counts } = await desk.land('events', affonso, { expected: expected! });
  expect(counts).toMatchObject({ rows: 7, recorded: 2, duplicates: 1, rejected: 3, ignored: 1 });
});

test('of a log of Stripe’s the paid charges count, with a partner or without', async () => {
  const desk = await deskOfAnn(db, { sources: [{ ref: 'stripe', kind: 'stripe_events' }] });
  const expected = readExpected('9', ['USD=71.50', 'JPY=700']);
  expect((await desk.land('events', stripe, { expected: expected! })).counts).toMatchObject({ rows: 9 });
  const taken = await deskOfAnn(db, {
    sources: [{ ref: 'stripe', kind: 'stripe_events', test_events: true }],
  });
  const withTests = readExpected(undefined, ['USD=78.50']);
  await taken.land('events', stripe, { expected: withTests! });
});

test.each([
  [affonso, '7', [], 'The file has 6 rows, which is 1 fewer than the 7 expected.'],
  [
    affonso,
    undefined,
    ['USD=180.00'],
    'The file has amounts of 180.25 USD, which is 0.25 more than the 180.00 expected.',
  ],
  [
    stripe,
    '8',
    ['USD=71.51'],
    'The file has 9 rows, which is 1 more than the 8 expected, and amounts of 71.50 USD, which is 0.01 less than the 71.51 expected.',
  ],
  [
    `{"event_name":\n${conversion('e-1', { sale_amount: 100 })}\n${conversion('e-2', { sale_amount: 'ten' })}\n`,
    undefined,
    ['USD=110'],
    'The file has amounts of 100.00 USD, which is 10.00 less than the 110.00 expected. Of 2 of its rows no amount can be read.',
  ],
])('a log that does not is refused, and the message says by how much', async (log, rows, totals, message) => {
  const desk = await deskOfAnn(db);
  await expect(desk.land('events', log, { expected: readExpected(rows, totals)! })).rejects.toMatchObject({
    code: 'file-refused',
    message,
  });
  expect((await booked(desk.world)).size).toBe(0);
});
