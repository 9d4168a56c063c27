import { describe, expect, test } from 'vitest';
import type { StripeFact } from '../../../../src/imports/logs/stripe/fact.ts';
import { stripeReader } from '../../../../src/imports/logs/stripe/translate.ts';

const read = stripeReader({
  program: { currency: 'USD', timezone: 'Europe/Berlin' },
  idPrefix: 'shop:',
  rates: { warnings: [], find: () => undefined },
  testEvents: false,
  receivedAt: new Date('2100-01-01T00:00:00Z'),
});

const seconds = (text: string) => Date.parse(text) / 1000;

/** What an event of `type` about `object` means; it happened at noon on 12 March. */
function meaning(
  type: string,
  object: Record<string, unknown>,
  more: Record<string, unknown> = {},
): StripeFact {
  const event = {
    id: 'evt_1',
    object: 'event',
    created: seconds('2026-03-12T12:00:00Z'),
    livemode: true,
    type,
    data: { object },
    ...more,
  };
  return read({ n: 1, line: 1, text: JSON.stringify(event) });
}

const charge = {
  id: 'ch_1',
  object: 'charge',
  amount: 2000,
  created: seconds('2026-03-12T11:59:58Z'),
  currency: 'usd',
  paid: true,
  payment_intent: 'pi_1',
};
const dispute = {
  id: 'dp_1',
  object: 'dispute',
  amount: 1500,
  charge: 'ch_1',
  created: seconds('2026-03-11T08:00:00Z'),
  currency: 'usd',
};

describe('a refund', () => {
  test('is the sum that a charge has given back so far, under an id of its own that every double has too', () => {
    expect(meaning('charge.refunded', { ...charge, amount_refunded: 500, customer: 'cus_1' })).toEqual({
      kind: 'refund',
      refund: {
        n: 1,
        line: 1,
        externalId: 'shop:ch_1#refunded:5.00@2026-03-12T12:00:00.000Z',
        saleExternalId: 'shop:ch_1',
        amount: 500n,
        isTotal: true,
        currency: 'USD',
        occurredAt: '2026-03-12T12:00:00.000Z',
        occurredAtGiven: true,
        attribution: { affiliate: undefined, clickId: undefined, customerId: 'cus_1' },
      },
    });
  });

  test('is converted exactly, and refused where it can’t be', () => {
    expect(meaning('charge.refunded', { ...charge, currency: 'isk', amount_refunded: 50_000 })).toMatchObject(
      {
        refund: { amount: 500n, currency: 'ISK' },
      },
    );
    expect(meaning('charge.refunded', { ...charge, currency: 'isk', amount_refunded: 50_001 })).toEqual({
      kind: 'fault',
      fault: { code: 'amount-decimals', field: 'amount_refunded', found: '50001 ISK' },
    });
  });

  test.each(['refund.created', 'refund.updated', 'charge.refund.updated'])(
    'is not read from %s as well, which tells of the same one',
    (type) => {
      const refund = { id: 're_1', object: 'refund', amount: 500, charge: 'ch_1', currency: 'usd' };
      expect(meaning(type, { ...refund, status: 'succeeded' })).toEqual({ kind: 'ignored', why: 'type' });
    },
  );

  test.each([
    ['refund.failed', 'failed'],
    ['refund.updated', 'canceled'],
    ['charge.refund.updated', 'failed'],
  ])('gives back what it took when %s says that it is %s', (type, status) => {
    const refund = { id: 're_1', object: 'refund', amount: 500, charge: 'ch_1', currency: 'usd', status };
    expect(meaning(type, { ...refund, created: seconds('2026-03-10T08:00:00Z') })).toEqual({
      kind: 'failure',
      refund: {
        n: 1,
        line: 1,
        externalId: 'shop:re_1#failed',
        saleExternalId: 'shop:ch_1',
        amount: 500n,
        currency: 'USD',
        givesBack: true,
        madeAt: '2026-03-10T08:00:00.000Z',
        isTotal: false,
        occurredAt: '2026-03-12T12:00:00.000Z',
        occurredAtGiven: true,
      },
    });
    expect(meaning(type, { ...refund, charge: null })).toEqual({ kind: 'ignored', why: 'no-charge' });
  });
});

describe('a dispute', () => {
  test.each([
    ['charge.dispute.created', 'needs_response', 'opened', '2026-03-11T08:00:00.000Z'],
    ['charge.dispute.created', 'warning_needs_response', 'opened', '2026-03-11T08:00:00.000Z'],
    ['charge.dispute.funds_withdrawn', 'needs_response', 'opened', '2026-03-11T08:00:00.000Z'],
    ['charge.dispute.closed', 'won', 'won', '2026-03-12T12:00:00.000Z'],
    ['charge.dispute.closed', 'warning_closed', 'won', '2026-03-12T12:00:00.000Z'],
    ['charge.dispute.closed', 'lost', 'lost', '2026-03-12T12:00:00.000Z'],
    ['charge.dispute.created', 'lost', 'lost', '2026-03-12T12:00:00.000Z'],
    ['charge.dispute.funds_withdrawn', 'lost', 'lost', '2026-03-12T12:00:00.000Z'],
    ['charge.dispute.updated', 'under_review', 'opened', '2026-03-11T08:00:00.000Z'],
    ['charge.dispute.updated', 'won', 'won', '2026-03-12T12:00:00.000Z'],
    ['charge.dispute.funds_reinstated', 'needs_response', 'won', '2026-03-12T12:00:00.000Z'],
  ])('of %s (%s) is %s', (type, status, state, occurredAt) => {
    const ids = { externalId: 'shop:dp_1', saleExternalId: 'shop:ch_1' };
    expect(meaning(type, { ...dispute, status })).toEqual({
      kind: 'dispute',
      dispute: { n: 1, line: 1, ...ids, state, amount: 1500n, currency: 'USD', occurredAt },
    });
  });

  test('without an id, as in the oldest API versions, goes by its charge', () => {
    const { id: _, ...old } = dispute;
    expect(meaning('charge.dispute.closed', { ...old, status: 'won' })).toMatchObject({
      dispute: { externalId: 'shop:ch_1#dispute', saleExternalId: 'shop:ch_1', state: 'won' },
    });
  });
});

describe('a sale', () => {
  const metadata = { affiliate_id: 'ann', affiliate_session_id: 'clk-1' };
  const facts = {
    externalId: 'shop:ch_1',
    affiliate: 'ann',
    clickId: 'clk-1',
    amount: 2000n,
    currency: 'USD',
    salesStatus: 'complete',
  };

  test('is a charge that succeeded, at the moment when the charge was made', () => {
    expect(meaning('charge.succeeded', { ...charge, metadata })).toMatchObject({
      kind: 'charge',
      paymentIntent: 'pi_1',
      sale: { ...facts, occurredAt: '2026-03-12T11:59:58.000Z', occurredAtGiven: true },
    });
  });

  test('is an invoice that names its charge, with the same facts but no moment among them', () => {
    const invoice = { id: 'in_1', object: 'invoice', amount_paid: 2000, currency: 'usd', metadata };
    const sale = { ...facts, occurredAt: '2026-03-12T12:00:00.000Z', occurredAtGiven: false };
    expect(meaning('invoice.paid', { ...invoice, charge: 'ch_1' })).toMatchObject({ kind: 'invoice', sale });
    const payments = { data: [{ payment: { type: 'charge', charge: 'ch_1' } }] };
    expect(meaning('invoice.paid', { ...invoice, payments })).toMatchObject({ kind: 'invoice', sale });
  });

  test('is none where the money is not there yet, or there is none', () => {
    for (const more of [{ captured: false }, { paid: false }, { amount: 0 }])
      expect(meaning('charge.succeeded', { ...charge, metadata, ...more })).toEqual({
        kind: 'ignored',
        why: 'no-money',
      });
  });

  test('is attributed by the payment before its customer, wherever they are shown in full', () => {
    const full = {
      payment_intent: { id: 'pi_1', metadata: { affiliate_id: 'ann' } },
      customer: { id: 'cus_1', metadata: { affiliate_id: 'bob', affiliate_session_id: 'clk-2' } },
    };
    expect(meaning('charge.succeeded', { ...charge, ...full, metadata: {} })).toMatchObject({
      paymentIntent: 'pi_1',
      sale: { affiliate: 'ann', clickId: 'clk-2', customerId: 'cus_1' },
    });
  });

  test('is none in test mode, unless the source says so; an unknown type is ignored in any mode', () => {
    const isTest = { livemode: false };
    expect(meaning('charge.succeeded', charge, isTest)).toEqual({ kind: 'ignored', why: 'test' });
    expect(meaning('constructor', charge)).toEqual({ kind: 'ignored', why: 'type' });
  });
});

test('an invoice’s subscription and terms are found in either shape', () => {
  const old = {
    id: 'in_1',
    amount_paid: 2000,
    currency: 'usd',
    charge: 'ch_1',
    payment_intent: 'pi_1',
    subscription: 'sub_1',
    subscription_details: { metadata: { affiliate_id: 'ann' } },
    lines: {
      data: [
        {
          amount: 2000,
          price: { id: 'price_1', product: 'prod_1', recurring: { interval: 'month', interval_count: 12 } },
        },
        { amount: -500, price: { id: 'price_0', product: 'prod_0', recurring: { interval: 'month' } } },
      ],
    },
  };
  const now = {
    id: 'in_1',
    amount_paid: 2000,
    currency: 'usd',
    customer: 'cus_1',
    parent: { subscription_details: { subscription: 'sub_1', metadata: { affiliate_id: 'ann' } } },
    payments: { data: [{ payment: { type: 'payment_intent', payment_intent: 'pi_1' } }] },
    lines: { data: [{ amount: 2000, pricing: { price_details: { price: 'price_1', product: 'prod_1' } } }] },
  };
  const terms = { productIds: ['prod_1'], priceIds: ['price_1'], isSubscription: true };
  const [before, since] = [meaning('invoice.paid', old), meaning('invoice.paid', now)];
  expect(before).toMatchObject({ note: { ...terms, interval: 'yearly', payments: ['pi_1', 'ch_1'] } });
  expect(since).toMatchObject({ kind: 'person', note: { ...terms, payments: ['pi_1'], affiliate: 'ann' } });
});
