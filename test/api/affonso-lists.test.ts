import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { newId, showId } from '../../src/ids.ts';
import { testDatabase } from '../support/database.ts';
import { type Served, serveDesk } from './serving.ts';

const { db } = await testDatabase();

/** Two partners, thirty customers, and sales in every state: refunded, partly refunded, on hold, ready, declined, open. */
async function busyDesk() {
  const desk = await serveDesk(db, { rates: ['EUR,USD,2026-01-05,1.10,ECB'] });
  const ann = await desk.world.affiliate({ ref: 'ann', name: 'Ann', email: 'ann@example.com' });
  const bob = await desk.world.affiliate({ ref: 'bob', status: 'banned', override_ppm: 125_000 });
  const people = Array.from(
    { length: 30 },
    (_, n) =>
      `r${n},${n % 3 ? 'ann' : 'bob'},cust_${n},c${n}@example.com,${['lead', 'trialing', 'customer', 'active', 'canceled'][n % 5]},2026-01-${String(1 + (n % 10)).padStart(2, '0')}T10:00:00Z`,
  );
  await desk.land('referrals', `ref,affiliate,customer_id,email,status,created_at\n${people.join('\n')}\n`);
  const sales = Array.from(
    { length: 40 },
    (_, n) =>
      `s${n},ann,${100 + n}.00,${n === 7 ? 'EUR' : 'USD'},2026-01-${n === 7 ? '05' : String(1 + (n % 12)).padStart(2, '0')}T10:00:00Z,cust_${(n % 9) * 3 + 1},${['complete', 'open', 'trialing', 'complete', 'failed'][n % 5]},${n === 0 ? '100.00' : n === 3 ? '50.00' : ''}`,
  );
  await desk.land(
    'sales',
    `external_id,affiliate,amount,currency,occurred_at,customer_id,sales_status,refunded_total\n${sales.join('\n')}\n`,
  );
  const key = await desk.key('affonso');
  const get = async (path: string) => (await desk.send('GET', path, { key })).body;
  return { desk, ann, bob, key, get };
}

const { desk, ann, bob, key, get } = await busyDesk();
const { accountId } = desk.world;

async function ids(query: ReturnType<typeof sql>, noun: 'commission' | 'referral'): Promise<string[]> {
  const rows = await (query as ReturnType<typeof sql<{ id: string }>>).execute(db.sql);
  return rows.rows.map((row) => showId(noun, row.id));
}

test('a commission has the documented fields, and a page the documented pagination', async () => {
  const body = await get('/v1/commissions?limit=3&sales_status=complete');
  expect(Object.keys(body.data[0])).toEqual([
    'id',
    'referral_id',
    'affiliate_id',
    'program_id',
    'sale_amount',
    'sale_amount_currency',
    'commission_amount',
    'commission_currency',
    'status',
    'sales_status',
    'hold_period_days',
    'payment_intent_id',
    'invoice_id',
    'created_at',
    'updated_at',
    'earning_id',
    'earning_type',
  ]);
  expect(body.pagination).toEqual({
    page: 1,
    limit: 3,
    total: 14,
    total_pages: 5,
    has_next_page: true,
    has_prev_page: false,
  });
  const last = await get('/v1/commissions?limit=3&sales_status=complete&page=5');
  expect([last.data.length, last.pagination.has_next_page, last.pagination.has_prev_page]).toEqual([
    2,
    false,
    true,
  ]);
  const beyond = await get('/v1/commissions?limit=3&sales_status=complete&page=6');
  expect([beyond.success, beyond.data, beyond.pagination.total]).toEqual([true, [], 14]);
});

test('a listing shows what remains of a refunded sale', async () => {
  const partly = (await get('/v1/commissions?sales_status=partial_refunded')).data;
  expect(partly).toHaveLength(1);
  expect(partly[0]).toMatchObject({ sale_amount: 53, commission_amount: 10.6, status: 'pending' });
  const whole = (await get('/v1/commissions?sales_status=refunded')).data;
  expect(whole[0]).toMatchObject({ sale_amount: 0, commission_amount: 0, status: 'declined' });
});

const filters: [string, string, ReturnType<typeof sql>][] = [
  ['status', 'pending', sql`o.status = 'pending'`],
  ['status', 'declined', sql`o.status = 'declined'`],
  ['status', 'refunded', sql`o.status = 'declined' and c.sales_status = 'refunded'`],
  ['status', 'paid', sql`false`],
  ['sales_status', 'open', sql`c.sales_status = 'open'`],
  ['sales_status', 'complete', sql`c.sales_status = 'complete'`],
  ['affiliate_id', 'ann', sql`true`],
  ['affiliate_id', showId('affiliate', ann.id), sql`true`],
  ['affiliate_id', showId('affiliate', bob.id), sql`false`],
  ['affiliate_id', newId(new Date()), sql`false`],
  ['referral_id', 'r4', sql`r.ref = 'r4'`],
  ['referral_id', 'nobody', sql`false`],
  ['created_gte', '2026-01-05T10:00:00Z', sql`c.occurred_at >= '2026-01-05T10:00:00Z'`],
  ['created_lte', '2026-01-05T10:00:00Z', sql`c.occurred_at <= '2026-01-05T10:00:00Z'`],
  ['dateFrom', '2026-01-07', sql`c.occurred_at >= '2026-01-06T23:00:00Z'`],
  ['dateTo', '2026-01-07', sql`c.occurred_at < '2026-01-07T23:00:00Z'`],
];

test('every filter of commissions, alone and in pairs, finds what plain SQL finds', async () => {
  for (const [at, first] of filters.entries()) {
    for (const second of filters.slice(at)) {
      if (second !== first && second[0] === first[0]) continue;
      const query = new URLSearchParams({ [first[0]]: first[1], [second[0]]: second[1], limit: '200' });
      // Plain words, and no part of the statement under test.
      const expected = await ids(
        sql`select o.id from commission o join conversion c on c.account_id = o.account_id and c.id = o.id
          left join referral r on r.account_id = c.account_id and r.id = c.referral_id
          where o.account_id = ${accountId} and ${first[2]} and ${second[2]} order by c.occurred_at desc, c.id desc`,
        'commission',
      );
      const { data, pagination } = await desk
        .send('GET', `/v1/commissions?${query}`, { key: await freshKey() })
        .then((answer) => answer.body);
      expect([query.toString(), data.map((one: { id: string }) => one.id), pagination.total]).toEqual([
        query.toString(),
        expected,
        expected.length,
      ]);
    }
  }
});

test('commissions sort both ways, and older clients say so in their words', async () => {
  const down = (await get('/v1/commissions?limit=200')).data.map((one: { id: string }) => one.id);
  const up = (await get('/v1/commissions?limit=200&sort=createdAt:asc')).data.map(
    (one: { id: string }) => one.id,
  );
  expect(up).toEqual(down.toReversed());
  expect(down.length).toBe(32);
});

test('commissions are expanded by affiliate, programme and referral', async () => {
  const { data } = await get('/v1/commissions?expand=affiliate,affiliate_program,referral&limit=1');
  expect(data[0]).toMatchObject({
    affiliate: {
      id: showId('affiliate', ann.id),
      name: 'Ann',
      email: 'ann@example.com',
      partnership_status: 'approved',
    },
    affiliate_program: { id: data[0].program_id, name: 'Acme Partners', currency: 'USD' },
    referral: { id: data[0].referral_id, affiliate_id: showId('affiliate', ann.id) },
  });
  const one = await get(`/v1/commissions/${data[0].id}?expand=referral`);
  expect([one.success, one.data.id, one.data.referral.id]).toEqual([true, data[0].id, data[0].referral_id]);
});

test('what a query can’t say is a validation error', async () => {
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=x',
    'page=0',
    'page=-1',
    'page=1.5',
    'status=odd',
    'sales_status=odd',
    'expand=odd',
    'created_gte=yesterday',
    'dateTo=2026-02-30',
    'sort=amount',
    'status=paid&status=pending',
  ]) {
    const answer = await desk.send('GET', `/v1/commissions?${query}`, { key: await freshKey() });
    expect([query, answer.status, answer.body.error?.code]).toEqual([query, 400, 'VALIDATION_ERROR']);
  }
  for (const query of [
    'limit=101',
    'order=up',
    'starting_after=nobody',
    'status=click',
    'starting_after=r1&ending_before=r2',
  ]) {
    const answer = await desk.send('GET', `/v1/referrals?${query}`, { key: await freshKey() });
    expect([query, answer.status, answer.body.error?.code]).toEqual([query, 400, 'VALIDATION_ERROR']);
  }
});

test('what belongs to another account is not found', async () => {
  const other = await busyDesk();
  const theirs = (await other.get('/v1/commissions?limit=1')).data[0];
  for (const path of [
    `/v1/commissions/${theirs.id}`,
    `/v1/referrals/${theirs.referral_id}`,
    '/v1/commissions/nothing',
    `/v1/referrals/${showId('affiliate', ann.id)}`,
  ]) {
    const answer = await desk.send('GET', path, { key: await freshKey() });
    expect([path, answer.status, answer.body.error?.code]).toEqual([path, 404, 'NOT_FOUND']);
  }
  expect((await get(`/v1/commissions?referral_id=${theirs.referral_id}`)).data).toEqual([]);
  expect((await get(`/v1/commissions?affiliate_id=${theirs.affiliate_id}`)).data).toEqual([]);
  expect((await desk.send('GET', `/v1/referrals?starting_after=${theirs.referral_id}`, { key })).status).toBe(
    400,
  );
});

test('a referral has the documented fields', async () => {
  const body = await get('/v1/referrals?limit=10&status=customer');
  expect(Object.keys(body)).toEqual(['success', 'data', 'has_more']);
  const { data } = await get('/v1/referrals/r4');
  expect(data).toEqual({
    id: expect.stringMatching(/^ref_/),
    affiliate_id: showId('affiliate', ann.id),
    program_id: expect.stringMatching(/^prog_/),
    email: 'c4@example.com',
    customer_id: 'cust_4',
    subscription_id: null,
    status: 'canceled',
    created_at: '2026-01-05T10:00:00Z',
    converted_at: expect.stringMatching(/^2026-01-\d\dT10:00:00Z$/),
  });
  expect((await get(`/v1/referrals/${data.id}?expand=affiliate`)).data.affiliate.name).toBe('Ann');
});

test('the stats of a referral are what its sales come to without refunds', async () => {
  const { data } = await get('/v1/referrals/r4?include=stats');
  const plain = await sql<{ orders: number }>`
    select count(*)::integer as orders from conversion c join referral r on r.account_id = c.account_id and r.id = c.referral_id
    where c.account_id = ${accountId} and r.ref = 'r4' and c.sales_status <> 'failed'`.execute(db.sql);
  expect(data.stats).toEqual({
    total_revenue: expect.any(Number),
    total_commission: expect.any(Number),
    total_orders: plain.rows[0]!.orders,
    last_order_at: expect.stringMatching(/^2026-01/),
  });
  // The sale of 107 EUR at 1.10, and those of 116 and 125 USD.
  const foreign = (await get('/v1/referrals/r22?include=stats')).data.stats;
  expect(foreign).toMatchObject({ total_revenue: 107 * 1.1 + 116 + 125 });
  expect((await get('/v1/referrals/r0?include=stats')).data.stats).toEqual({
    total_revenue: 0,
    total_commission: 0,
    total_orders: 0,
    last_order_at: null,
  });
});

const ofReferrals: [string, string, ReturnType<typeof sql>][] = [
  ['status', 'customer', sql`status = 'customer'`],
  ['status', 'active', sql`status = 'active'`],
  ['affiliate_id', 'bob', sql`affiliate_id = ${bob.id}`],
  ['affiliate_id', 'nobody', sql`false`],
  ['created_gte', '2026-01-04T10:00:00Z', sql`created_at >= '2026-01-04T10:00:00Z'`],
  ['created_lte', '2026-01-04T10:00:00Z', sql`created_at <= '2026-01-04T10:00:00Z'`],
  ['order', 'asc', sql`true`],
];

test('every filter of referrals, alone and in pairs, finds what plain SQL finds', async () => {
  for (const [at, first] of ofReferrals.entries()) {
    for (const second of ofReferrals.slice(at)) {
      if (second !== first && second[0] === first[0]) continue;
      const query = new URLSearchParams({ [first[0]]: first[1], [second[0]]: second[1], limit: '100' });
      const order = sql.raw(query.get('order') ?? 'desc');
      const expected = await ids(
        sql`select id from referral where account_id = ${accountId} and ${first[2]} and ${second[2]}
          order by created_at ${order}, id ${order}`,
        'referral',
      );
      const { body } = await desk.send('GET', `/v1/referrals?${query}`, { key: await freshKey() });
      expect([query.toString(), body.data.map((one: { id: string }) => one.id)]).toEqual([
        query.toString(),
        expected,
      ]);
    }
  }
});

test('a walk through all referrals, both ways, loses and doubles none while others are added', async () => {
  const walking = await busyDesk();
  for (const order of ['desc', 'asc']) {
    const before = await allIds(walking.desk);
    const seen: string[] = [];
    let page = await walking.get(`/v1/referrals?limit=4&order=${order}`);
    for (let n = 0; ; n += 1) {
      seen.push(...page.data.map((one: { id: string }) => one.id));
      if (!page.has_more) break;
      await walking.desk.land(
        'referrals',
        `ref,affiliate,created_at\nnew-${order}-${n},ann,2026-01-0${1 + (n % 9)}T10:00:00Z\n`,
      );
      page = await walking.get(`/v1/referrals?limit=4&order=${order}&starting_after=${seen.at(-1)}`);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(before.filter((id) => !seen.includes(id))).toEqual([]);
    const back: string[] = [];
    for (let first = seen.at(-1)!; ; first = back[0]!) {
      const part = await walking.get(`/v1/referrals?limit=4&order=${order}&ending_before=${first}`);
      back.unshift(...part.data.map((one: { id: string }) => one.id));
      if (!part.has_more) break;
    }
    expect(new Set(back).size).toBe(back.length);
    expect(seen.slice(0, -1).filter((id) => !back.includes(id))).toEqual([]);
    expect(back.filter((id) => seen.includes(id))).toEqual(seen.slice(0, -1));
  }
});

async function allIds({ world }: Served): Promise<string[]> {
  return ids(sql`select id from referral where account_id = ${world.accountId}`, 'referral');
}

/** A key of its own, where a test asks more than a minute allows one. */
let requests = 0;
let current = key;
async function freshKey(): Promise<string> {
  requests += 1;
  if (requests % 250 === 0) current = await desk.key('affonso');
  return current;
}

test('affiliates are listed by status, name and moment', async () => {
  const all = await get('/v1/affiliates?sort=createdAt:asc');
  expect(all.pagination).toMatchObject({ total: 2, limit: 50 });
  expect(all.data.find((one: { name: string }) => one.name === 'Ann')).toEqual({
    id: showId('affiliate', ann.id),
    name: 'Ann',
    email: 'ann@example.com',
    tracking_id: 'ann',
    source: null,
    partnership_status: 'approved',
    onboarding_completed: true,
    program_id: expect.stringMatching(/^prog_/),
    group_id: null,
    external_user_id: 'ann',
    metadata: null,
    created_at: '2026-03-02T03:00:00Z',
  });
  const names = async (query: string) =>
    (await get(`/v1/affiliates?${query}`)).data.map((one: { tracking_id: string }) => one.tracking_id);
  expect(await names('partnership_status=rejected')).toEqual(['bob']);
  expect(await names('partnership_status=pending')).toEqual([]);
  expect(await names('search=ANN@')).toEqual(['ann']);
  expect(await names('search=%25')).toEqual([]);
  expect(await names('dateFrom=2026-03-03')).toEqual([]);
  const { data } = await get('/v1/affiliates?search=bob&expand=payoutMethod,commissionOverrides,promoCodes');
  expect(data[0]).toMatchObject({
    payoutMethod: { type: 'paypal', details: null },
    commissionOverrides: [{ amount: 12.5, is_percentage: true }],
    promoCodes: [],
  });
});

test('no hostile query is more than a validation error, or finds anything', async () => {
  const hostile = [
    '%00',
    "'%20or%201=1--",
    '%F0%9F%92%A9',
    '__proto__',
    '%25',
    '..%2F',
    'a'.repeat(2_000),
    '%EF%BF%BF',
  ];
  const names = [
    'affiliate_id',
    'referral_id',
    'search',
    'created_gte',
    'dateTo',
    'starting_after',
    'expand',
    'page',
    'affiliateId',
  ];
  const moments = [
    '%2B275760-09-13T00:00:00Z',
    '-271821-04-20T00:00:00Z',
    '9999-12-31',
    '%2B010000-01-01',
    '0001-01-01',
    '-000001-01-01T00:00:00Z',
  ];
  const paths = names.flatMap((name) =>
    [...hostile, ...(name === 'created_gte' || name === 'dateTo' ? moments : [])].flatMap((value) =>
      ['commissions', 'referrals', 'affiliates', 'payouts'].map((list) => `/v1/${list}?${name}=${value}`),
    ),
  );
  const odd: unknown[] = [];
  for (const path of [
    ...paths,
    ...hostile.map((value) => `/v1/referrals/${value}`),
    ...hostile.map((value) => `/v1/commissions/${value}`),
  ]) {
    const answer = await desk.send('GET', path, { key: await freshKey() });
    if (![200, 400, 404, 414].includes(answer.status) || !answer.body) odd.push([path, answer.status]);
  }
  expect(odd).toEqual([]);
});
