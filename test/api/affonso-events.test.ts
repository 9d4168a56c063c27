import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { today } from '../support/world.ts';
import { type Served, serveDesk } from './serving.ts';

const { db } = await testDatabase();

/** A desk with a partner, Ann, and one referral of hers: ref_456def, whose customer is cust_123. */
async function annsDesk(settings: Parameters<typeof serveDesk>[1] = {}) {
  const desk = await serveDesk(db, settings);
  const ann = await desk.world.affiliate({ ref: 'ann' });
  await desk.land('referrals', 'ref,affiliate,customer_id,status\nref_456def,ann,cust_123,lead\n');
  const referral = await db.sql
    .selectFrom('referral')
    .selectAll()
    .where('account_id', '=', desk.world.accountId)
    .executeTakeFirstOrThrow();
  const key = await desk.key('affonso');
  return { desk, ann, referral, key };
}

const invoicePaid = {
  event_name: 'invoice_paid',
  event_type: 'conversion',
  customer_id: 'cust_123',
  sale_amount: 99.0,
  sale_amount_currency: 'USD',
  external_event_id: 'evt_2026_000145',
};

const trialStarted = {
  event_name: 'trial_started',
  event_type: 'trial',
  customer_id: 'cust_123',
  external_event_id: 'evt_trial_123',
};

async function rows(
  desk: Served,
  table: 'conversion' | 'event' | 'commission' | 'conflict' | 'parked_event',
) {
  const { accountId } = desk.world;
  return db.sql.selectFrom(table).selectAll().where('account_id', '=', accountId).execute();
}

test('the documented conversion answers a conversion object, and the same again when it is repeated', async () => {
  const { desk, ann, referral, key } = await annsDesk();
  const first = await desk.send('POST', '/v1/events', { key, body: invoicePaid });
  const id = expect.stringMatching(/^com_[0-9a-z]{26}$/);
  const conversion = {
    id,
    referral_id: showId('referral', referral.id),
    affiliate_id: showId('affiliate', ann.id),
    program_id: expect.stringMatching(/^prog_/),
    sale_amount: 99,
    sale_amount_currency: 'USD',
    commission_amount: 19.8,
    commission_currency: 'USD',
    status: 'pending',
    sales_status: 'complete',
    hold_period_days: 30,
    payment_intent_id: null,
    invoice_id: null,
    created_at: '2026-03-02T03:00:00Z',
    updated_at: expect.stringMatching(/^2026-03-02T03:00:00/),
    external_event_id: 'evt_2026_000145',
    calculation_mode: 'auto',
    matched_incentive_id: null,
    earning_id: id,
    earning_type: 'direct_commission',
    replayed: false,
    source_event_id: null,
  };
  expect([first.status, first.body]).toEqual([201, { success: true, data: conversion }]);
  expect(first.text).toContain('"sale_amount":99.00,');
  expect(first.text).toContain('"commission_amount":19.80,');
  const again = await desk.send('POST', '/v1/events', { key, body: invoicePaid });
  expect([again.status, again.body]).toEqual([
    200,
    { success: true, data: { ...first.body.data, replayed: true } },
  ]);
  expect(await rows(desk, 'conversion')).toHaveLength(1);
  expect(await audited(desk.world)).toEqual([]);
});

test('the documented trial answers what became of it, also under the address of a source', async () => {
  const { desk, referral, key } = await annsDesk();
  const result = {
    referral_id: showId('referral', referral.id),
    transaction_id: null,
    event_name: 'trial_started',
    event_type: 'trial',
    external_event_id: 'evt_trial_123',
    action: 'referral_updated',
    referral_status: 'trialing',
    replayed: false,
    source_event_id: expect.stringMatching(/^evt_/),
  };
  const first = await desk.send('POST', '/v1/events', { key, body: trialStarted });
  expect([first.status, first.body]).toEqual([201, { success: true, data: result }]);
  const again = await desk.send('POST', '/v1/sources/custom/events', { key, body: trialStarted });
  expect([again.status, again.body]).toEqual([
    200,
    { success: true, data: { ...first.body.data, replayed: true } },
  ]);
});

test('an event without a type is a milestone, and without an id it counts each time', async () => {
  const { desk, key } = await annsDesk();
  const body = { event_name: 'activated', referral_id: 'ref_456def' };
  for (const _ of [1, 2]) {
    const answer = await desk.send('POST', '/v1/events', { key, body });
    expect(answer.body.data).toMatchObject({
      event_type: 'milestone',
      external_event_id: null,
      action: 'event_recorded',
      referral_status: 'lead',
      replayed: false,
    });
  }
  expect(await rows(desk, 'event')).toHaveLength(2);
});

test('what an event log has brought is replayed, and the other way round the log finds duplicates', async () => {
  const { desk, key } = await annsDesk();
  await desk.land('events', `${JSON.stringify(invoicePaid)}\n${JSON.stringify(trialStarted)}\n`);
  for (const body of [invoicePaid, trialStarted]) {
    const answer = await desk.send('POST', '/v1/events', { key, body });
    expect([answer.status, answer.body.data.replayed]).toEqual([200, true]);
  }
  const lead = { ...trialStarted, event_type: 'lead', external_event_id: 'evt_lead' };
  await desk.send('POST', '/v1/events', { key, body: lead });
  const more = { ...invoicePaid, external_event_id: 'evt_more' };
  await desk.send('POST', '/v1/events', { key, body: more });
  const landed = await desk.land('events', `${JSON.stringify(lead)}\n${JSON.stringify(more)}\n`);
  expect(landed.counts).toMatchObject({ duplicates: 2, recorded: 0 });
  expect(await audited(desk.world)).toEqual([]);
});

test('a sale that a CSV has brought is replayed', async () => {
  const { desk, key } = await annsDesk();
  await desk.land(
    'sales',
    'external_id,affiliate,amount,currency,occurred_at\ncsv-1,ann,50.00,USD,2026-02-01\n',
  );
  const answer = await desk.send('POST', '/v1/events', {
    key,
    body: { ...invoicePaid, external_event_id: 'csv-1', sale_amount: 50, occurred_at: '2026-02-01' },
  });
  expect([answer.status, answer.body.data.replayed, answer.body.data.referral_id]).toEqual([200, true, null]);
  expect(answer.body.data.sale_amount).toBe(50);
});

test('the same id with other facts is answered by the earlier result, and the conflict is kept', async () => {
  const { desk, key } = await annsDesk();
  await desk.send('POST', '/v1/events', { key, body: invoicePaid });
  const other = await desk.send('POST', '/v1/events', { key, body: { ...invoicePaid, sale_amount: 100 } });
  expect([other.status, other.body.data.replayed, other.body.data.sale_amount]).toEqual([200, true, 99]);
  expect(await rows(desk, 'conflict')).toHaveLength(1);
});

test('an id that another type of event has is answered by what became of that', async () => {
  const { desk, key } = await annsDesk();
  await desk.send('POST', '/v1/events', { key, body: trialStarted });
  const sale = await desk.send('POST', '/v1/events', {
    key,
    body: { ...invoicePaid, external_event_id: 'evt_trial_123' },
  });
  expect(sale.body.data).toMatchObject({ event_type: 'trial', replayed: true });
  await desk.send('POST', '/v1/events', { key, body: invoicePaid });
  const trial = await desk.send('POST', '/v1/events', {
    key,
    body: { ...trialStarted, external_event_id: 'evt_2026_000145' },
  });
  expect(trial.body.data).toMatchObject({ sale_amount: 99, replayed: true });
  expect(await rows(desk, 'conversion')).toHaveLength(1);
});

test('a conversion takes the currency of the programme unless it says one', async () => {
  const { desk, key } = await annsDesk({ program: { currency: 'EUR' } });
  const body = {
    customer_id: 'cust_123',
    sale_amount: 12.5,
    external_event_id: 'e1',
    created_at: '2026-01-20T15:30:00Z',
  };
  const answer = await desk.send('POST', '/v1/conversions', { key, body });
  expect([answer.status, answer.body.data]).toEqual([
    201,
    expect.objectContaining({
      sale_amount_currency: 'EUR',
      sale_amount: 12.5,
      commission_amount: 2.5,
      created_at: '2026-01-20T15:30:00Z',
    }),
  ]);
});

test('a conversion takes the currency that its source says', async () => {
  const { desk, key } = await annsDesk({
    sources: [{ ref: 'shop', kind: 'api', defaults: { currency: 'EUR' } }],
    rates: ['EUR,USD,2026-03-02,1.10,ECB'],
  });
  const body = { customer_id: 'cust_123', sale_amount: 10, external_event_id: 'e1' };
  const answer = await desk.send('POST', '/v1/conversions', { key, body });
  expect([answer.status, answer.body.data.sale_amount_currency]).toEqual([201, 'EUR']);
});

test('a sale in another currency needs a rate of its day', async () => {
  const { desk, key } = await annsDesk({ rates: ['EUR,USD,2026-03-02,1.10,ECB'] });
  const body = { ...invoicePaid, sale_amount_currency: 'EUR', sale_amount: 100 };
  const answer = await desk.send('POST', '/v1/events', { key, body });
  expect(answer.body.data).toMatchObject({
    sale_amount: 100,
    sale_amount_currency: 'EUR',
    commission_amount: 22,
    commission_currency: 'USD',
  });
  const without = await desk.send('POST', '/v1/events', {
    key,
    body: { ...body, external_event_id: 'e2', sale_amount_currency: 'GBP' },
  });
  expect([without.status, without.body.error.details[0].field]).toEqual([400, 'sale_amount_currency']);
});

test('what breaks a rule of the page is a validation error that names the field', async () => {
  const { desk, key } = await annsDesk();
  const faults: [unknown, string][] = [
    [{ ...invoicePaid, sale_amount: undefined }, 'sale_amount'],
    [{ ...invoicePaid, sale_amount_currency: undefined }, 'sale_amount_currency'],
    [{ ...invoicePaid, external_event_id: undefined }, 'external_event_id'],
    [{ ...invoicePaid, customer_id: undefined }, 'referral_id'],
    [{ ...invoicePaid, event_name: undefined }, 'event_name'],
    [{ ...invoicePaid, event_name: ' ' }, 'event_name'],
    [{ ...invoicePaid, event_type: 'click' }, 'event_type'],
    [{ ...invoicePaid, interval: 'weekly' }, 'interval'],
    [{ ...invoicePaid, sale_amount_currency: 'XXX' }, 'sale_amount_currency'],
    [{ ...invoicePaid, occurred_at: 'yesterday' }, 'occurred_at'],
    [{ ...invoicePaid, metadata: [] }, 'metadata'],
    [{ ...invoicePaid, product_ids: 'p1' }, 'product_ids'],
    [{ ...invoicePaid, external_event_id: 7 }, 'external_event_id'],
    [{ ...invoicePaid, external_event_id: 'x'.repeat(256) }, 'external_event_id'],
  ];
  for (const [body, field] of faults) {
    const { status, body: answer } = await desk.send('POST', '/v1/events', { key, body });
    expect([status, answer]).toEqual([
      400,
      {
        success: false,
        error: {
          code: 'VALIDATION_ERROR',
          message: expect.any(String),
          details: [{ field, message: expect.any(String) }],
        },
      },
    ]);
  }
  expect(await rows(desk, 'conversion')).toHaveLength(0);
});

test('amounts are read as they are written, and never rounded', async () => {
  const { desk, key } = await annsDesk();
  let n = 0;
  const sell = (amount: string) =>
    desk.send('POST', '/v1/events', {
      key,
      body: `{"event_name":"x","event_type":"conversion","customer_id":"cust_123","sale_amount":${amount},"sale_amount_currency":"USD","external_event_id":"amount-${n++}"}`,
    });
  for (const amount of [
    '1e400',
    '0.30000000000000004',
    '99.005',
    '-1',
    '-0.01',
    '0',
    '0.00',
    '"99"',
    '1e-3',
    '99.0000000000000000001',
    '90000000000.01',
    '9007199254740993',
    'null',
    '1e99999',
    '+1',
    '01',
    '.5',
    'NaN',
    'true',
    '[1]',
  ]) {
    const answer = await sell(amount);
    expect([amount, answer.status, answer.body.error?.code]).toEqual([amount, 400, 'VALIDATION_ERROR']);
  }
  for (const [amount, written] of [
    ['1e2', '100.00'],
    ['99.00', '99.00'],
    ['0.1', '0.10'],
    ['99.0000000000000000000', '99.00'],
    ['9.9E+1', '99.00'],
    ['12345678901.23', '12345678901.23'],
    ['90000000000', '90000000000.00'],
  ]) {
    const answer = await sell(amount!);
    expect([amount, answer.status]).toEqual([amount, 201]);
    expect(answer.text).toContain(`"sale_amount":${written},`);
  }
  expect(await rows(desk, 'conversion')).toHaveLength(7);
  expect(await audited(desk.world)).toEqual([]);
});

test('hostile bodies are refused in JSON, and nothing is recorded', async () => {
  const { desk, key } = await annsDesk();
  const body = JSON.stringify(invoicePaid);
  for (const hostile of [
    body.replace('{', '{"sale_amount":1,'),
    body.replace('{', '{"customer_id":"cust_9",'),
    '{',
    '[]',
    '"text"',
    'null',
    `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`,
    body.replace('cust_123', '\\ud800'),
    body.replace('cust_123', 'a\\u0000b'),
  ]) {
    const answer = await desk.send('POST', '/v1/events', { key, body: hostile });
    expect([hostile, answer.status, answer.body.error.code]).toEqual([hostile, 400, 'VALIDATION_ERROR']);
  }
  const proto = await desk.send('POST', '/v1/events', {
    key,
    body: body.replace('{', '{"__proto__":{"sale_amount":1},"constructor":{"prototype":1},'),
  });
  expect([proto.status, proto.body.data.sale_amount]).toEqual([201, 99]);
  const injected = await desk.send('POST', '/v1/events', {
    key,
    body: { ...invoicePaid, customer_id: "'; drop table referral; --", external_event_id: 'x' },
  });
  expect(injected.status).toBe(404);
  expect(await rows(desk, 'conversion')).toHaveLength(1);
});

test('a referral that nobody knows is not found, and nothing is parked', async () => {
  const { desk, key } = await annsDesk();
  const { referral: other } = await annsDesk();
  for (const body of [
    { ...invoicePaid, customer_id: 'nobody' },
    { ...trialStarted, customer_id: 'nobody' },
    { ...invoicePaid, customer_id: undefined, referral_id: showId('referral', other.id) },
    { ...trialStarted, customer_id: undefined, referral_id: other.id },
  ]) {
    const answer = await desk.send('POST', '/v1/events', { key, body });
    expect([answer.status, answer.body]).toEqual([
      404,
      { success: false, error: { code: 'NOT_FOUND', message: 'Referral not found' } },
    ]);
  }
  expect(await rows(desk, 'parked_event')).toEqual([]);
  expect(await rows(desk, 'event')).toEqual([]);
});

test('several identifiers must name one referral, under their older names too', async () => {
  const { desk, key, referral } = await annsDesk();
  await desk.land(
    'referrals',
    'ref,affiliate,customer_id,status\nref_456def,ann,cust_123,lead\nref_other,ann,cust_9,lead\n',
  );
  const { referral: foreign } = await annsDesk();
  let n = 0;
  const send = async (names: object) => {
    const body = { event_name: 'x', event_type: 'lead', external_event_id: `names-${n++}`, ...names };
    const answer = await desk.send('POST', '/v1/events', { key, body });
    return answer.status === 201 ? answer.body.data.referral_id : answer.status;
  };
  const ours = showId('referral', referral.id);
  for (const name of [
    'referral_id',
    'referralId',
    'affonso_id',
    'affonsoId',
    'affonso_referral',
    'affonsoReferral',
  ]) {
    expect([name, await send({ [name]: 'ref_456def' })]).toEqual([name, ours]);
    expect([name, await send({ [name]: ours, customer_id: 'cust_123' })]).toEqual([name, ours]);
  }
  expect(await send({ referral_id: 'ref_456def', customer_id: 'cust_9' })).toBe(400);
  expect(await send({ referral_id: 'ref_456def', affonsoId: 'ref_other' })).toBe(400);
  expect(await send({ customer_id: 'cust_123', referral_id: showId('referral', foreign.id) })).toBe(400);
  expect(await send({ referral_id: null, customer_id: 'cust_123' })).toBe(ours);
  expect(await send({ referral_id: referral.id.toUpperCase() })).toBe(ours);
});

test('a customer that came with a referral once is enough for renewals', async () => {
  const { desk, key, referral } = await annsDesk();
  const first = {
    ...invoicePaid,
    customer_id: undefined,
    referralId: 'ref_456def',
    clickId: 'click_1',
    external_user_id: 'user_1',
  };
  expect((await desk.send('POST', '/v1/events', { key, body: first })).status).toBe(201);
  for (const [at, name] of [{ click_id: 'click_1' }, { external_user_id: 'user_1' }].entries()) {
    const body = { ...invoicePaid, customer_id: undefined, ...name, external_event_id: `renewal-${at}` };
    const answer = await desk.send('POST', '/v1/events', { key, body });
    expect([answer.status, answer.body.data.referral_id]).toEqual([201, showId('referral', referral.id)]);
  }
  expect(await audited(desk.world)).toEqual([]);
});

test('a status is refused unless the key has the scope for it', async () => {
  const { desk, key } = await annsDesk();
  const body = {
    customer_id: 'cust_123',
    sale_amount: 10,
    external_event_id: 's1',
    status: 'ready_for_payment',
  };
  const refused = await desk.send('POST', '/v1/conversions', { key, body });
  expect([refused.status, refused.body.error.code]).toEqual([403, 'FORBIDDEN']);
  const may = await desk.key('affonso', { scopes: ['read', 'write', 'status'] });
  const taken = await desk.send('POST', '/v1/conversions', { key: may, body });
  expect([taken.status, taken.body.data.status, taken.body.data.hold_period_days]).toEqual([
    201,
    'pending',
    0,
  ]);
  const paid = await desk.send('POST', '/v1/conversions', {
    key: may,
    body: { ...body, external_event_id: 's2', status: 'paid' },
  });
  expect(paid.status).toBe(400);
});

test('fifty at once are recorded once each, the events as well', async () => {
  const { desk, key } = await annsDesk();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      desk.send('POST', '/v1/events', {
        key,
        body: { ...(n % 2 === 0 ? trialStarted : invoicePaid), external_event_id: `id-${n % 20}` },
      }),
    ),
  );
  const of = (status: number) => answers.filter((one) => one.status === status).length;
  expect([of(201), of(200)]).toEqual([20, 30]);
  expect(await rows(desk, 'event')).toHaveLength(10);
  expect(await rows(desk, 'conversion')).toHaveLength(10);
  expect(await audited(desk.world)).toEqual([]);
});

test('a request is signed as their client signs it, and the same pair may come again', async () => {
  const now = new Date(1_784_462_400_000 + 100_000);
  const { desk } = await annsDesk({ now: () => now });
  await desk.land('referrals', 'ref,affiliate,status\nref_1,ann,lead\n');
  const key = await desk.key('affonso', { secret: 'whsec_custom' });
  const body = '{"event_name":"kyc_passed","referral_id":"ref_1","event_type":"milestone"}';
  const signature = createHmac('sha256', 'whsec_custom').update(`1784462400.${body}`).digest('hex');
  const signed = { 'x-affonso-timestamp': '1784462400', 'x-affonso-signature': signature };
  const send = (headers: Record<string, string>, text = body) =>
    desk.send('POST', '/v1/events', { key, body: text, headers });
  expect((await send(signed)).status).toBe(201);
  expect((await send(signed)).status).toBe(201);
  for (const [headers, text] of [
    [{}, body],
    [{ ...signed, 'x-affonso-timestamp': '1784462401' }, body],
    [{ ...signed, 'x-affonso-signature': signature.toUpperCase() }, body],
    [{ ...signed, 'x-affonso-signature': signature.slice(1) }, body],
    [signed, `${body} `],
  ] as const) {
    const answer = await send(headers, text);
    expect([answer.status, answer.body.error.code]).toEqual([401, 'UNAUTHORIZED']);
  }
  expect((await desk.send('GET', '/v1/referrals', { key })).status).toBe(200);
});

test('keys of others, without the scope, or beyond the limit are refused in their words', async () => {
  const { desk, key } = await annsDesk({ sources: [{ ref: 'shop', kind: 'api', requests_per_minute: 2 }] });
  const refused = async (used: string | undefined, how: [string, string] = ['GET', '/v1/referrals']) => {
    const answer = await desk.send(...how, {
      ...(used && { key: used }),
      ...(how[0] === 'POST' && { body: invoicePaid }),
    });
    return [answer.status, answer.body.success, answer.body.error.code];
  };
  expect(await refused(undefined)).toEqual([401, false, 'UNAUTHORIZED']);
  expect(await refused('sk_live_1_nothing')).toEqual([401, false, 'UNAUTHORIZED']);
  expect(await refused(await desk.key('affilut'))).toEqual([401, false, 'UNAUTHORIZED']);
  const reader = await desk.key('affonso', { scopes: ['read'] });
  expect(await refused(reader, ['POST', '/v1/events'])).toEqual([403, false, 'FORBIDDEN']);
  for (const used of [1, 2]) {
    const { headers } = await desk.send('GET', '/v1/referrals', { key });
    expect([headers.get('x-ratelimit-limit'), headers.get('x-ratelimit-remaining')]).toEqual([
      '2',
      String(2 - used),
    ]);
    expect(Number(headers.get('x-ratelimit-reset'))).toBe(today.getTime() / 1000 + 60);
  }
  const over = await desk.send('GET', '/v1/referrals', { key });
  expect([over.status, over.body, over.headers.get('retry-after')]).toEqual([
    429,
    { success: false, error: { code: 'RATE_LIMIT_EXCEEDED', message: expect.any(String), retryAfter: 60 } },
    '60',
  ]);
  const nowhere = await desk.send('GET', '/v1/nothing', { key: reader });
  expect([nowhere.status, nowhere.body.error.code]).toEqual([404, 'NOT_FOUND']);
});
