import { expect, test } from 'vitest';
import { explainParked } from '../../src/commands/explain-parked.ts';
import { readParked } from '../../src/ledger/explain/parked.ts';
import { findSubject } from '../../src/ledger/explain.ts';
import { toDoInBooks } from '../../src/ledger/to-do.ts';
import { testDatabase } from '../support/database.ts';
import { today } from '../support/world.ts';
import { crm } from './crm.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();

test('a client finds its business, configs and sources, and makes a source of its own', async () => {
  const desk = await serveDesk(db, { sources: [{ ref: 'shop', kind: 'api' }] });
  await desk.world.program({ ref: 'old', name: 'Old', retired: true });
  const client = await crm(desk);
  const businesses = await desk.send('GET', '/api/v1/businesses', { key: await desk.key('entries') });
  const one = { page: 1, limit: 50, total: 1, totalPages: 1, hasMore: false };
  expect(businesses.body).toEqual({ data: [{ id: client.businessId, name: 'Acme Inc.' }], pagination: one });
  const configs = async (query: string) => (await client.get(`conversions/configs${query}`)).body;
  const main = { id: client.configId, name: 'main', displayName: 'Acme Partners', isActive: true };
  const old = { id: expect.any(String), name: 'old', displayName: 'Old', isActive: false };
  expect(await configs('?limit=100&isActive=true')).toEqual({
    data: [main],
    pagination: { ...one, limit: 100 },
  });
  expect((await configs('?isActive=false')).data).toEqual([old]);
  expect(await configs('?limit=1')).toEqual({
    data: [main],
    pagination: { page: 1, limit: 1, total: 2, totalPages: 2, hasMore: true },
  });
  const sources = `conversions/configs/${client.configId}/sources`;
  const shop = { id: client.sourceId, name: 'shop', isActive: true };
  expect((await client.get(sources)).body.data).toEqual([shop]);
  const made = await client.post(sources, { name: 'n8n' });
  expect([made.status, made.body.data]).toEqual([
    201,
    { id: expect.any(String), name: 'n8n', isActive: true },
  ]);
  const again = await Promise.all(Array.from({ length: 20 }, () => client.post(sources, { name: ' n8n ' })));
  expect(again.map(({ status, body }) => [status, body.data.id])).toEqual(
    again.map(() => [200, made.body.data.id]),
  );
  expect((await client.post(sources, { name: 'shop' })).body.data).toEqual(shop);
  expect((await client.get(sources)).body.data).toEqual([shop, made.body.data]);
  for (const body of [{}, { name: '' }, { name: 7 }, { name: 'x'.repeat(101) }])
    expect((await client.post(sources, body)).status).toBe(400);
});

test('a source that a client has made takes entries without any settings', async () => {
  const desk = await serveDesk(db);
  const client = await crm(desk);
  const { body } = await client.post(`conversions/configs/${client.configId}/sources`, { name: 'n8n' });
  const contactId = await client.contact({ email: 'ann@buyers.example', firstName: 'Ann', source: 'n8n' });
  const made = await client.entry({ sourceId: body.data.id, contactId, data: { anything: 1 } });
  expect([made.status, made.body.data.currency, made.body.data.eventValue]).toEqual([201, 'USD', null]);
});

test('contacts are found by address and number, and made once', async () => {
  const client = await crm(await serveDesk(db));
  const fields = { email: 'Ann@Buyers.example', firstName: 'Ann', source: 'n8n' };
  const made = await client.post('contacts', fields);
  expect([made.status, made.body.data]).toEqual([
    201,
    {
      ...fields,
      id: expect.any(String),
      businessId: client.businessId,
      phone: null,
      lastName: null,
      customFields: {},
      createdAt: today.toISOString(),
      updatedAt: today.toISOString(),
    },
  ]);
  const { id } = made.body.data;
  const more = { email: 'ann@buyers.example', phone: '+1 234', firstName: 'Anna', lastName: 'Lee' };
  const again = await client.post('contacts', more);
  expect([again.status, again.body.data]).toEqual([
    200,
    expect.objectContaining({ id, email: fields.email, phone: '+1 234', firstName: 'Ann', lastName: 'Lee' }),
  ]);
  const bob = await client.contact({ phone: '555' });
  expect(await client.contact({ phone: '5-5-5' })).toBe(bob);
  const found = async (query: string) =>
    (await client.get(`contacts?${query}`)).body.data.map((one: { id: string }) => one.id);
  expect(await found('limit=1&email=ANN%40buyers.example')).toEqual([id]);
  expect(await found('phone=%2B1234')).toEqual([id]);
  expect(await found('phone=+1234')).toEqual([id]);
  expect(await found('phone=555')).toEqual([bob]);
  expect(await found('phone=555&email=ann@buyers.example')).toEqual([]);
  expect((await found('')).sort()).toEqual([id, bob].sort());
  const crowd = await Promise.all(
    Array.from({ length: 30 }, () => client.contact({ email: 'new@buyers.example' })),
  );
  expect(new Set(crowd).size).toBe(1);
  for (const body of [{}, { firstName: 'Ann' }, { email: 'nobody' }, { phone: 'none' }, { email: 7 }, []])
    expect((await client.post('contacts', body)).status).toBe(400);
});

test('entries are listed by config and time, alone and in pairs, as plain SQL has them', async () => {
  const desk = await serveDesk(db, { sources: [{ ref: 'shop', kind: 'api' }] });
  const other = await desk.world.program({ ref: 'other' });
  const client = await crm(desk);
  const { body } = await client.post(`conversions/configs/${other}/sources`, { name: 'n8n' });
  const contactId = await client.contact({ email: 'ann@buyers.example', firstName: 'Ann', lastName: 'Lee' });
  for (let n = 1; n <= 12; n += 1) {
    const occurredAt = `2026-02-${String(n).padStart(2, '0')}T12:00:00Z`;
    const sourceId = n % 3 === 0 ? body.data.id : client.sourceId;
    expect((await client.entry({ sourceId, contactId, eventValue: n, occurredAt })).status).toBe(201);
  }
  const all = await db.sql
    .selectFrom('conversion_entry')
    .select(['id', 'program_id', 'occurred_at'])
    .where('account_id', '=', desk.world.accountId)
    .orderBy('occurred_at', 'desc')
    .execute();
  const configs = {
    '': undefined,
    [`configId=${other}`]: other,
    [`configId=${client.configId}`]: client.configId,
  };
  const froms = {
    '': 0,
    'from=2026-02-04': Date.parse('2026-02-04'),
    'from=2026-02-05T12:00:00Z': Date.parse('2026-02-05T12:00:00Z'),
  };
  const tos = {
    '': Infinity,
    'to=2026-02-09': Date.parse('2026-02-10') - 1,
    'to=2026-02-08T12:00:00Z': Date.parse('2026-02-08T12:00:00Z'),
  };
  for (const [config, programId] of Object.entries(configs))
    for (const [from, first] of Object.entries(froms))
      for (const [to, last] of Object.entries(tos)) {
        const answer = await client.get(
          `conversions/entries?${[config, from, to].filter(Boolean).join('&')}`,
        );
        const wanted = all.filter(
          (one) =>
            (programId === undefined || one.program_id === programId) &&
            Number(one.occurred_at) >= first &&
            Number(one.occurred_at) <= last,
        );
        expect(answer.body.data.map((one: { id: string }) => one.id)).toEqual(wanted.map(({ id }) => id));
        expect(answer.body.pagination.total).toBe(wanted.length);
      }
  const upwards = await client.get('conversions/entries?sort=occurredAt&limit=5&page=3');
  expect(upwards.body.data.map((one: { eventValue: number }) => one.eventValue)).toEqual([11, 12]);
  expect(upwards.body.pagination).toEqual({ page: 3, limit: 5, total: 12, totalPages: 3, hasMore: false });
  const [latest] = (await client.get('conversions/entries?sort=-occurredAt&limit=1')).body.data;
  expect(latest).toEqual({
    id: all[0]!.id,
    businessId: client.businessId,
    sourceId: body.data.id,
    contactId,
    eventValue: 12,
    currency: 'USD',
    expense: null,
    occurredAt: '2026-02-12T12:00:00.000Z',
    createdAt: expect.stringMatching(/^2026-03-02T03:00:00\./),
    configId: other,
    configName: 'other',
    attributionSource: null,
    attributionCampaign: null,
    attributionCampaignId: null,
    attributionAd: null,
    attributionAdId: null,
    contact: { id: contactId, name: 'Ann Lee', firstName: 'Ann', email: 'ann@buyers.example' },
  });
  expect((await client.get(`conversions/entries/${latest.id}`)).body).toEqual({ data: latest });
  for (const query of ['from=yesterday', 'to=2026-13-01', 'sort=eventValue', 'limit=101', 'page=0'])
    expect((await client.get(`conversions/entries?${query}`)).status).toBe(400);
  expect((await client.get('conversions/entries?configId=nobody')).body.data).toEqual([]);
}, 60_000);

test('another account’s ids are nobody’s', async () => {
  const [ours, theirs] = [
    await serveDesk(db, { sources: [{ ref: 'shop', kind: 'api' }] }),
    await serveDesk(db),
  ];
  const [client, stranger] = [await crm(ours), await crm(theirs)];
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  const made = await client.entry({ contactId, eventValue: 1 });
  const nothing = { error: { code: 'NOT_FOUND', message: expect.any(String) } };
  const key = await theirs.key('entries');
  for (const path of ['', '/contacts', '/conversions/configs', '/conversions/entries']) {
    const answer = await theirs.send('GET', `/api/v1/businesses/${client.businessId}${path}`, { key });
    expect([answer.status, answer.body]).toEqual([404, nothing]);
  }
  for (const path of [
    `conversions/configs/${client.configId}/sources`,
    `conversions/entries/${made.body.data.id}`,
    'conversions/entries/%27%20or%201=1',
  ])
    expect((await stranger.get(path)).body).toEqual(nothing);
  const own = await stranger.contact({ email: 'ann@buyers.example' });
  expect(own).not.toBe(contactId);
  const source = await stranger.post(`conversions/configs/${stranger.configId}/sources`, { name: 'n8n' });
  const sourceId = source.body.data.id;
  expect((await stranger.entry({ sourceId, contactId })).body).toEqual(nothing);
  expect((await stranger.entry({ sourceId: client.sourceId, contactId: own })).body).toEqual(nothing);
  expect((await stranger.get('conversions/entries')).body.data).toEqual([]);
});

test('a key has 60 requests a minute, and those of other kinds open nothing', async () => {
  const desk = await serveDesk(db);
  const key = await desk.key('entries');
  const answers = await Promise.all(
    Array.from({ length: 61 }, () => desk.send('GET', '/api/v1/businesses', { key })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(60);
  const late = answers.find(({ status }) => status === 429)!;
  expect([late.body.error.code, late.headers.get('retry-after')]).toEqual(['RATE_LIMIT_EXCEEDED', '60']);
  const refused = await desk.send('GET', '/api/v1/businesses', { key: await desk.key('affilut') });
  expect([refused.status, refused.body.error.code]).toEqual([401, 'UNAUTHORIZED']);
});

test('what waits is counted among what is parked, and explained', async () => {
  const desk = await serveDesk(db, {
    sources: [{ ref: 'shop', kind: 'api', field_mappings: { id: 'externalId' } }],
  });
  const client = await crm(desk);
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  await client.entry({ contactId, eventValue: 12.5, data: { id: 'o-1' } });
  await client.entry({ contactId });
  const { accountId } = desk.world;
  const [list, story] = await db.transaction(
    async (session) => {
      const { id } = await findSubject(session, accountId, 'o-1');
      return [await toDoInBooks(session, accountId, today), await readParked(session, accountId, id)];
    },
    { snapshot: true },
  );
  expect(list).toEqual([
    expect.objectContaining({
      what: 'parked_rows',
      count: 1,
      amounts: { USD: '12.50' },
      command: 'payrun explain o-1',
    }),
  ]);
  expect(explainParked(story).data).toMatchObject({
    kind: 'parked_entry',
    external_id: 'o-1',
    amount: '12.50',
  });
});
