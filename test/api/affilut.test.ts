import { expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { today } from '../support/world.ts';
import { type Served, serveDesk } from './serving.ts';

const { db } = await testDatabase();

/** After everything that the rows of a test are dated by. */
const later = new Date(today.getTime() + 60_000);

const sale = (affiliate: string, external_id?: string, amount_cents: unknown = 4900) => ({
  affiliate_id: affiliate,
  amount_cents,
  ...(external_id !== undefined && { external_id }),
});

const post = (desk: Served, key: string, body: unknown) =>
  desk.send('POST', '/api/v1/conversions', { key, body });

test('a manual conversion is recorded once, at the commission of any other door', async () => {
  const desk = await serveDesk(db);
  const ann = await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  const body = sale(showId('affiliate', ann.id), 'inv_2026_00142');
  const first = await post(desk, key, body);
  expect([first.status, first.body]).toEqual([
    201,
    { id: expect.stringMatching(/^cnv_/), commissionCents: 980 },
  ]);
  expect((await post(desk, key, body)).status).toBe(409);
  expect((await post(desk, key, { ...body, amount_cents: 5000 })).status).toBe(409);
  expect(
    (
      await desk.land(
        'sales',
        'external_id,affiliate,amount,currency,occurred_at\ninv_2026_00142,ann,49.00,USD,2026-03-02T03:00:00Z\n',
      )
    ).counts.recorded,
  ).toBe(0);
  expect(await audited(desk.world)).toEqual([]);
});

test('an id that a file brought first is answered by 409, also where the facts differ', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  await desk.land(
    'sales',
    'external_id,affiliate,amount,currency,occurred_at\na-1,ann,49.00,USD,2026-03-01T00:00:00Z\na-2,ann,50.00,USD,2026-03-01T00:00:00Z\n',
  );
  const key = await desk.key('affilut');
  for (const id of ['a-1', 'a-2', ' a-2 ']) expect((await post(desk, key, sale('ann', id))).status).toBe(409);
  expect(await audited(desk.world)).toEqual([]);
});

test('fifty at once are recorded together, each with a verdict of its own', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const keys = [await desk.key('affilut'), await desk.key('affilut')];
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => {
      const who = n % 5 === 0 ? 'nobody' : 'ann';
      return post(desk, keys[n % 2]!, sale(who, n % 5 === 1 ? 'same' : `id-${n}`));
    }),
  );
  const of = (status: number) => answers.filter((one) => one.status === status).length;
  expect([of(201), of(404), of(409)]).toEqual([31, 10, 9]);
  expect(await audited(desk.world)).toEqual([]);
});

test.each([
  ['no body', undefined],
  ['no JSON', '{"affiliate_id": '],
  ['a list', '[]'],
  ['no affiliate', { amount_cents: 1 }],
  ['an amount of text', sale('ann', 'x', '4900')],
  ['a fraction of a cent', sale('ann', 'x', 49.5)],
  ['nothing', sale('ann', 'x', 0)],
  ['less than nothing', sale('ann', 'x', -1)],
  ['more than all', '{"affiliate_id":"ann","amount_cents":1e400}'],
  ['more than a sale may be', sale('ann', 'x', 9_000_000_000_001)],
  ['an amount twice', '{"affiliate_id":"ann","amount_cents":1,"amount_cents":2}'],
  ['an id that says nothing', sale('ann', ' n/a ')],
  ['an id that is too long', sale('ann', 'x'.repeat(256))],
  ['an id that is a number', { ...sale('ann'), external_id: 7 }],
  ['a NUL', sale('ann', 'a\0b')],
])('%s is refused with 400, and nothing is recorded', async (_, body) => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const answer = await post(desk, await desk.key('affilut'), body);
  expect([answer.status, answer.body]).toEqual([400, { error: expect.any(String) }]);
  expect(
    (await desk.send('GET', '/api/v1/conversions', { key: await desk.key('affilut') })).body.data,
  ).toEqual([]);
});

test('every response says how many more there may be, errors as well', async () => {
  const desk = await serveDesk(db);
  const key = await desk.key('affilut', { scopes: ['read'] });
  const reset = String(today.getTime() / 1000 + 60);
  const said = async (method: string, path: string, options = {}) => {
    const { status, headers } = await desk.send(method, path, options);
    return [status, ...['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`))];
  };
  expect(await said('GET', '/api/v1/affiliates', { key })).toEqual([200, '120', '119', reset]);
  expect(await said('GET', '/api/v1/affiliates?page=0', { key })).toEqual([400, '120', '118', reset]);
  expect(await said('GET', '/api/v1/nothing', { key })).toEqual([404, '120', '117', reset]);
  expect(await said('POST', '/api/v1/conversions', { key, body: '{' })).toEqual([403, '30', '29', reset]);
  expect(await said('GET', '/api/v1/affiliates')).toEqual([401, '120', '120', reset]);
  expect(await said('POST', '/api/v1/conversions', { key: 'aff_1_x', body: {} })).toEqual([
    401,
    '30',
    '30',
    reset,
  ]);
  expect(await said('GET', '/api/v1/%zz', { key })).toEqual([400, '120', '120', reset]);
});

test('a used-up limit is answered by 429, reading and writing counted apart', async () => {
  const desk = await serveDesk(db);
  const key = await desk.key('affilut');
  const tried = await Promise.all(Array.from({ length: 31 }, () => post(desk, key, {})));
  expect(tried.filter(({ status }) => status === 400).length).toBe(30);
  const late = tried.find(({ status }) => status === 429)!;
  expect(['retry-after', 'x-ratelimit-remaining'].map((name) => late.headers.get(name))).toEqual(['60', '0']);
  expect((await desk.send('GET', '/api/v1/affiliates', { key })).status).toBe(200);
});

test('affiliates are listed as the page shows them', async () => {
  const desk = await serveDesk(db);
  const jane = await desk.world.affiliate({
    name: 'Jane Smith',
    email: 'jane@example.com',
    short_code: 'jane-smith-a1b2',
    override_ppm: 125_000,
  });
  await desk.world.affiliate({ ref: 'bob', email: null, status: 'pending', created_at: later });
  const { status, body } = await desk.send('GET', '/api/v1/affiliates', { key: await desk.key('affilut') });
  expect([status, body.page, body.limit]).toEqual([200, 1, 50]);
  expect(body.data[0]).toEqual({
    id: showId('affiliate', jane.id),
    name: 'Jane Smith',
    email: 'jane@example.com',
    shortCode: 'jane-smith-a1b2',
    status: 'active',
    commissionOverride: '12.5',
    createdAt: '2026-03-02T03:00:00.000Z',
    activatedAt: '2026-03-02T03:00:00.000Z',
  });
  expect(body.data[1]).toMatchObject({
    shortCode: 'bob',
    email: null,
    status: 'pending',
    commissionOverride: null,
    activatedAt: null,
  });
});

test('conversions are listed, chosen by affiliate and status, alone and both', async () => {
  const desk = await serveDesk(db, {
    now: () => new Date(later.getTime() + 1),
    sources: [{ ref: 'stripe', kind: 'stripe_events', id_prefix: 'st:' }],
  });
  const { world } = desk;
  const [ann, bob] = [await world.affiliate({ ref: 'ann' }), await world.affiliate({ ref: 'bob' })];
  const statuses = ['pending', 'pending_manual_approval', 'ready_for_payment', 'paid', 'declined'] as const;
  for (const who of [ann, bob]) for (const status of statuses) await world.sale(who.id, { status });
  const charge = {
    object: 'event',
    id: 'evt_1',
    type: 'charge.succeeded',
    created: 1_772_000_000,
    livemode: true,
    data: {
      object: {
        object: 'charge',
        id: 'ch_3P',
        amount: 4900,
        currency: 'usd',
        paid: true,
        captured: true,
        created: 1_772_000_000,
        status: 'succeeded',
        metadata: { affiliate_id: 'ann' },
      },
    },
  };
  expect((await desk.land('events', `${JSON.stringify(charge)}\n`, { now: later })).counts.recorded).toBe(1);
  const key = await desk.key('affilut');
  await post(desk, key, sale('bob', 'inv_1'));
  const listed = async (query: string) =>
    (await desk.send('GET', `/api/v1/conversions${query}`, { key })).body.data;
  const all = await listed('');
  expect(all.slice(-2)).toEqual([
    {
      id: expect.stringMatching(/^cnv_/),
      affiliateId: showId('affiliate', ann.id),
      stripeChargeId: 'ch_3P',
      amountCents: 4900,
      commissionCents: 980,
      status: 'pending',
      createdAt: '2026-02-25T06:13:20.000Z',
    },
    {
      id: expect.stringMatching(/^cnv_/),
      affiliateId: showId('affiliate', bob.id),
      stripeChargeId: 'manual:inv_1',
      amountCents: 4900,
      commissionCents: 980,
      status: 'pending',
      createdAt: '2026-03-02T03:01:00.001Z',
    },
  ]);
  const counted = { pending: 6, approved: 2, paid: 2, rejected: 2 };
  for (const [status, count] of Object.entries(counted)) {
    const found = await listed(`?status=${status}`);
    expect(found).toHaveLength(count);
    expect(found).toEqual(all.filter((one: { status: string }) => one.status === status));
    for (const who of ['ann', showId('affiliate', bob.id), bob.id]) {
      const id = showId('affiliate', who === 'ann' ? ann.id : bob.id);
      expect(await listed(`?status=${status}&affiliate_id=${who}`)).toEqual(
        found.filter((one: { affiliateId: string }) => one.affiliateId === id),
      );
    }
  }
  expect(await listed('?affiliate_id=nobody')).toEqual([]);
  for (const query of ['?status=open', '?limit=101', '?page=x', '?page=1e9', '?affiliate_id='])
    expect((await desk.send('GET', `/api/v1/conversions${query}`, { key })).status).toBe(400);
});

test('a walk through all pages while sales come in loses none and meets none twice', async () => {
  const desk = await serveDesk(db, { now: () => later });
  const ann = await desk.world.affiliate({ ref: 'ann' });
  for (let n = 0; n < 23; n += 1) await desk.world.sale(ann.id);
  const key = await desk.key('affilut');
  const met: string[] = [];
  for (let page = 1; ; page += 1) {
    const { body } = await desk.send('GET', `/api/v1/conversions?limit=5&page=${page}`, { key });
    if (body.data.length === 0) break;
    met.push(...body.data.map((one: { id: string }) => one.id));
    if (page < 4) await post(desk, key, sale('ann', `new-${page}`));
  }
  expect([met.length, new Set(met).size]).toEqual([26, 26]);
});

test('another account’s key sees, credits and collides with nothing of this one', async () => {
  const [ours, theirs] = [await serveDesk(db), await serveDesk(db)];
  const ann = await ours.world.affiliate({ ref: 'ann' });
  const [key, other] = [await ours.key('affilut'), await theirs.key('affilut')];
  expect((await post(ours, key, sale('ann', 'same'))).status).toBe(201);
  expect((await post(theirs, other, sale(showId('affiliate', ann.id), 'same'))).status).toBe(404);
  expect(
    (await theirs.send('GET', `/api/v1/conversions?affiliate_id=${ann.id}`, { key: other })).body.data,
  ).toEqual([]);
  expect((await theirs.send('GET', '/api/v1/affiliates', { key: other })).body.data).toEqual([]);
});
