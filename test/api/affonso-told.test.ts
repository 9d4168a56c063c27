import { expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { claim } from '../../src/ledger/claim.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { march, planFor } from '../ledger/claiming.ts';
import { testDatabase } from '../support/database.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();

/** An event of Stripe's about an object. */
function stripe(id: string, type: string, object: object): string {
  return JSON.stringify({
    id,
    object: 'event',
    type,
    created: 1_767_600_000,
    livemode: true,
    data: { object },
  });
}

test('a sale shows the payment, invoice and subscription that Stripe’s log told', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const metadata = { affiliate_id: 'ann' };
  const charge = {
    id: 'ch_1',
    amount: 9_900,
    currency: 'usd',
    customer: 'cus_1',
    payment_intent: 'pi_1',
    created: 1_767_600_000,
    paid: true,
    captured: true,
    metadata,
  };
  const invoice = {
    id: 'in_1',
    customer: 'cus_1',
    amount_paid: 9_900,
    currency: 'usd',
    parent: { subscription_details: { subscription: 'sub_1', metadata } },
    lines: { data: [] },
  };
  const payment = { payment: { type: 'payment_intent', payment_intent: 'pi_1' }, invoice: 'in_1' };
  await desk.land(
    'events',
    [
      stripe('evt_1', 'charge.succeeded', charge),
      stripe('evt_2', 'invoice.paid', invoice),
      stripe('evt_3', 'invoice_payment.paid', payment),
      stripe('evt_4', 'charge.succeeded', { ...charge, id: 'ch_2', payment_intent: 'pi_2', invoice: 'in_2' }),
      stripe('evt_5', 'charge.succeeded', { ...charge, id: 'ch_3', payment_intent: null }),
    ].join('\n'),
  );
  const key = await desk.key('affonso');
  const { body } = await desk.send('GET', '/v1/commissions?expand=referral', { key });
  const shown = body.data.map((one: Record<string, unknown>) => [one.payment_intent_id, one.invoice_id]);
  expect(shown.sort()).toEqual([
    [null, null],
    ['pi_1', 'in_1'],
    ['pi_2', 'in_2'],
  ]);
  expect(body.data[0].referral).toMatchObject({ customer_id: 'cus_1', subscription_id: 'sub_1' });
  const replayed = await desk.send('POST', '/v1/conversions', {
    key,
    body: { customer_id: 'cus_1', sale_amount: 99, external_event_id: 'ch_1' },
  });
  expect([replayed.status, replayed.body.data.payment_intent_id]).toEqual([200, 'pi_1']);
});

test('payouts are listed by partner, status and moment, and a commission in one stays ready until it is paid', async () => {
  const desk = await serveDesk(db);
  const { world } = desk;
  const ann = await world.affiliate({ ref: 'ann', name: 'Ann', email: 'ann@example.com' });
  await world.affiliate({ ref: 'bob' });
  await desk.land(
    'sales',
    'external_id,affiliate,amount,currency,occurred_at\ns1,ann,99.05,USD,2026-01-02\ns2,bob,50.00,USD,2026-01-02\n',
  );
  const later = new Date('2026-06-01T00:00:00Z');
  await db.transaction(async (session) => {
    const mover = { ...world.mover, now: later };
    await releaseHolds(session, mover, { asOf: later });
    await claim(session, mover, { ...(await planFor(world)), ...march, periodEnd: later });
  });
  const key = await desk.key('affonso');
  const get = async (path: string) => (await desk.send('GET', path, { key })).body;
  const all = await get('/v1/payouts');
  expect(all.pagination).toEqual({
    page: 1,
    limit: 50,
    total: 2,
    total_pages: 1,
    has_next_page: false,
    has_prev_page: false,
  });
  const [annes] = (await get('/v1/payouts?affiliateId=ann&status=pending')).data;
  expect(annes).toEqual({
    id: expect.stringMatching(/^po_/),
    affiliate_id: showId('affiliate', ann.id),
    program_id: expect.stringMatching(/^prog_/),
    amount: 19.81,
    currency: 'USD',
    status: 'pending',
    invoice_number: expect.any(String),
    payment_method: 'paypal',
    payment_reference: null,
    managed_payout: false,
    affiliate: { name: 'Ann', email: 'ann@example.com' },
    created_at: '2026-06-01T00:00:00Z',
    processed_at: null,
  });
  for (const [query, total] of [
    ['status=completed', 0],
    ['status=pending', 2],
    ['affiliate_id=bob', 1],
    ['affiliate_id=nobody', 0],
    ['created_gte=2026-06-02', 0],
    ['dateTo=2026-06-01', 2],
  ])
    expect([query, (await get(`/v1/payouts?${query}`)).pagination.total]).toEqual([query, total]);
  expect((await get('/v1/commissions?status=ready_for_payment')).pagination.total).toBe(2);
  expect((await get('/v1/commissions?status=processing_payout')).pagination.total).toBe(2);
  await db.sql
    .updateTable('payout')
    .set({ status: 'exported' })
    .where('account_id', '=', world.accountId)
    .execute();
  expect((await get('/v1/payouts?status=processing')).pagination.total).toBe(2);
});
