import { expect, test } from 'vitest';
import { retryParked } from '../../src/imports/import.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { crm } from './crm.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();

const mappings = {
  order_id: 'externalId',
  order_total: 'eventValue',
  order_currency: 'currency',
  cost: 'expense',
  sold_at: 'occurredAt',
  customer_email: 'email',
  customer_phone: 'phone',
  company_size: 'company_size',
};
const shop = { ref: 'shop', kind: 'api', id_prefix: 'shop:', field_mappings: mappings };

/** A desk whose customer ann@buyers.example was brought by jane. */
async function office(now?: () => Date) {
  const desk = await serveDesk(db, { sources: [shop], ...(now && { now }) });
  await desk.world.affiliate({ ref: 'jane' });
  await bring(desk, 'ann@buyers.example');
  return { desk, client: await crm(desk) };
}

async function bring(desk: Awaited<ReturnType<typeof serveDesk>>, email: string) {
  await desk.land('referrals', `affiliate,email,status\njane,${email},lead\n`);
}

async function earned(desk: Awaited<ReturnType<typeof serveDesk>>) {
  const rows = await db.sql
    .selectFrom('commission')
    .select('amount')
    .where('account_id', '=', desk.world.accountId)
    .orderBy('amount')
    .execute();
  return rows.map(({ amount }) => amount);
}

test('a direct entry is answered as the page shows it, and credited to who brought its contact', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ email: 'Ann@Buyers.example' });
  const { status, text, body } = await client.entry({
    contactId,
    eventValue: 123,
    currency: 'USD',
    expense: 23.5,
    occurredAt: '2026-02-07T05:31:56Z',
  });
  expect([status, body.data]).toEqual([
    201,
    {
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      businessId: client.businessId,
      sourceId: client.sourceId,
      contactId,
      eventValue: 123,
      currency: 'USD',
      expense: 23.5,
      occurredAt: '2026-02-07T05:31:56.000Z',
      createdAt: '2026-03-02T03:00:00.000Z',
    },
  ]);
  expect(text).toContain('"eventValue":123.00,');
  expect(await earned(desk)).toEqual([2460n]);
  expect(await audited(desk.world)).toEqual([]);
});

test('a mapped entry gets its fields by the mapping of its source, direct values where that yields nothing', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ phone: '+1 (234) 567-890' });
  const data = {
    order_id: 'o-1',
    order_total: '499.99',
    order_currency: null,
    customer_email: 'ann@buyers.example',
    customer_phone: '+999',
    company_size: '50-100',
    unmapped: { any: ['thing'] },
  };
  const { status, body } = await client.entry({
    contactId,
    data,
    eventValue: 1,
    currency: 'USD',
    expense: 5,
  });
  expect([status, body.data]).toEqual([
    201,
    expect.objectContaining({ eventValue: 499.99, currency: 'USD', expense: 5, contactId }),
  ]);
  const { body: found } = await client.get(`contacts?phone=${encodeURIComponent('+1234567890')}`);
  expect(found.data).toEqual([
    expect.objectContaining({
      id: contactId,
      email: 'ann@buyers.example',
      phone: '+1 (234) 567-890',
      customFields: { company_size: '50-100' },
    }),
  ]);
  expect(await earned(desk)).toEqual([10000n]);
  const sale = await db.sql
    .selectFrom('conversion')
    .select(['external_id', 'expense'])
    .where('account_id', '=', desk.world.accountId)
    .execute();
  expect(sale).toEqual([{ external_id: 'shop:o-1', expense: 500n }]);
  expect(await audited(desk.world)).toEqual([]);
});

test('amounts are read from the text of the request, not from a float', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  const entry = (amount: string, more = '') =>
    client.raw(`{"sourceId":"${client.sourceId}","contactId":"${contactId}","eventValue":${amount}${more}}`);
  expect((await entry('8999999999999.99')).status).toBe(400);
  expect((await entry('0.30000000000000004')).status).toBe(400);
  expect((await entry('1e400')).status).toBe(400);
  expect((await entry('-1')).status).toBe(400);
  expect((await entry('4.35')).text).toContain('"eventValue":4.35,');
  expect((await entry('1.5e2')).text).toContain('"eventValue":150.00,');
  expect((await entry('89999999999.99')).text).toContain('"eventValue":89999999999.99,');
  expect((await entry('1', ',"data":{"order_total":70000000000.01}')).text).toContain(
    '"eventValue":70000000000.01,',
  );
  expect((await entry('1', ',"expense":0.001')).status).toBe(400);
  expect(await audited(desk.world)).toEqual([]);
});

test('an entry of no value or of 0 is kept and moves no money', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  expect((await client.entry({ contactId })).body.data.eventValue).toBeNull();
  expect((await client.entry({ contactId, eventValue: 0 })).body.data.eventValue).toBe(0);
  expect(await earned(desk)).toEqual([]);
  const outcome = await retryParked(desk.work());
  expect(outcome.counts).toMatchObject({ rows: 0, still_parked: 0 });
});

test('the entry of nobody’s customer waits, and is credited when the contact is known', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ email: 'bob@buyers.example' });
  const made = await client.entry({ contactId, eventValue: 50, occurredAt: '2026-02-01T00:00:00Z' });
  expect(made.status).toBe(201);
  expect(await earned(desk)).toEqual([]);
  const night = () => retryParked(desk.work());
  expect((await night()).counts).toMatchObject({ rows: 1, recorded: 0, still_parked: 1 });
  await bring(desk, 'BOB@buyers.example');
  const outcome = await night();
  expect([outcome.counts.recorded, outcome.counts.still_parked, outcome.totals.USD]).toEqual([
    1,
    0,
    { sales: '50.00', commissions: '10.00' },
  ]);
  expect((await night()).counts).toMatchObject({ rows: 0 });
  expect(await earned(desk)).toEqual([1000n]);
  const read = await client.get(`conversions/entries/${made.body.data.id}`);
  expect(read.body.data.attributionSource).toBe('jane');
  expect(await audited(desk.world)).toEqual([]);
});

test('a contact is known by its id as well, as a customer id', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ phone: '555' });
  await client.entry({ contactId, eventValue: 50 });
  await desk.land('referrals', `affiliate,customer_id,status\njane,${contactId},lead\n`);
  expect((await retryParked(desk.work())).counts).toMatchObject({ recorded: 1, still_parked: 0 });
  expect(await earned(desk)).toEqual([1000n]);
});

test('a mapped external id makes an entry once; other facts under it are refused, and kept for a person', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  const data = { order_id: 'o-1', order_total: 20 };
  const first = await client.entry({ contactId, data });
  const again = await client.entry({ contactId, data });
  expect([again.status, again.body]).toEqual([201, first.body]);
  const other = await client.entry({ contactId, data: { ...data, order_total: 21 } });
  expect([other.status, other.body]).toEqual([
    409,
    { error: { code: 'CONFLICT', message: expect.any(String) } },
  ]);
  const conflicts = await db.sql
    .selectFrom('conflict')
    .select('external_id')
    .where('account_id', '=', desk.world.accountId)
    .execute();
  expect(conflicts).toEqual([{ external_id: 'shop:o-1' }]);
  expect(await earned(desk)).toEqual([400n]);
  expect(await audited(desk.world)).toEqual([]);
});

test('a sale that a file brought first is not recorded again', async () => {
  const { desk, client } = await office();
  await desk.land(
    'sales',
    'external_id,affiliate,amount,currency,occurred_at\nshop:o-1,jane,20.00,USD,2026-02-01T00:00:00Z\n',
  );
  const contactId = await client.contact({ email: 'stranger@buyers.example' });
  const data = { order_id: 'o-1', order_total: 20, sold_at: '2026-02-01T00:00:00Z' };
  expect((await client.entry({ contactId, data })).status).toBe(201);
  expect(await earned(desk)).toEqual([400n]);
  expect((await retryParked(desk.work())).counts).toMatchObject({ rows: 0 });
  expect(await audited(desk.world)).toEqual([]);
});

test('an idempotency key is answered by the entry that it made; without one, each request is new', async () => {
  const { desk, client } = await office();
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  const first = await client.entry({ contactId, eventValue: 10 }, { 'idempotency-key': 'k-1' });
  const again = await client.entry({ contactId, eventValue: 10 }, { 'idempotency-key': 'k-1' });
  expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([
    201,
    first.body,
    'true',
  ]);
  const other = await client.entry({ contactId, eventValue: 11 }, { 'idempotency-key': 'k-1' });
  expect(other.status).toBe(409);
  await client.entry({ contactId, eventValue: 10 });
  await client.entry({ contactId, eventValue: 10 });
  expect((await client.entry({ contactId }, { 'idempotency-key': 'x'.repeat(256) })).status).toBe(400);
  expect(await earned(desk)).toEqual([200n, 200n, 200n]);
});

test.each(['external id', 'idempotency key'])(
  'fifty at once with the same %s are one entry',
  async (kind) => {
    const { desk, client } = await office();
    const contactId = await client.contact({ email: 'ann@buyers.example' });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        kind === 'external id'
          ? client.entry({ contactId, data: { order_id: 'o-1', order_total: '10' } })
          : client.entry({ contactId, eventValue: 10 }, { 'idempotency-key': 'same' }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1);
    expect(await earned(desk)).toEqual([200n]);
    const imports = await db.sql
      .selectFrom('import')
      .select(['rows', 'counts'])
      .where('account_id', '=', desk.world.accountId)
      .where('kind', '=', 'api')
      .execute();
    expect(imports).toEqual([{ rows: 50, counts: expect.objectContaining({ recorded: 1, duplicates: 49 }) }]);
    expect(await audited(desk.world)).toEqual([]);
  },
);

test('another currency needs a rate of its day', async () => {
  const desk = await serveDesk(db, { sources: [shop], rates: ['EUR,USD,2026-02-01,1.10,ECB'] });
  await desk.world.affiliate({ ref: 'jane' });
  await bring(desk, 'ann@buyers.example');
  const client = await crm(desk);
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  const entry = (occurredAt: string) =>
    client.entry({ contactId, eventValue: 10, currency: 'eur', occurredAt });
  const made = await entry('2026-02-01T12:00:00Z');
  expect([made.status, made.body.data.currency]).toEqual([201, 'EUR']);
  const refused = await entry('2026-02-02T12:00:00Z');
  expect([refused.status, refused.body.error.code]).toEqual([400, 'VALIDATION_ERROR']);
  expect(await earned(desk)).toEqual([220n]);
  expect(await audited(desk.world)).toEqual([]);
});

test.each([
  ['no body', undefined, 400],
  ['no contact', { contactId: undefined }, 400],
  ['a contact of nobody', { contactId: '3c90c3cc-0d44-4b50-8888-8dd25736052a' }, 404],
  ['a contact that is no id', { contactId: "' or 1=1 --" }, 404],
  ['a source of nobody', { sourceId: '3c90c3cc-0d44-4b50-8888-8dd25736052a' }, 404],
  ['a value of text', { eventValue: '12' }, 400],
  ['a currency of two letters', { currency: 'US' }, 400],
  ['a currency of nobody', { currency: 'XYZ' }, 400],
  ['a date that is none', { occurredAt: 'yesterday' }, 400],
  ['a date far ahead', { occurredAt: '2036-01-01T00:00:00Z' }, 400],
  ['data that is a list', { data: [] }, 400],
  ['a mapped value that is an object', { data: { order_total: { amount: 1 } } }, 400],
  ['a mapped amount in words', { data: { order_total: '1,234.50' } }, 400],
  ['a mapped address that is none', { data: { customer_email: 'unknown' } }, 400],
  ['a mapped id that is too long', { data: { order_id: 'x'.repeat(256) } }, 400],
])('%s is refused, and nothing is kept', async (_, change, status) => {
  const { client } = await office();
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  const answer = await client.entry(change && { contactId, eventValue: 1, ...change });
  expect([answer.status, answer.body]).toEqual([
    status,
    { error: { code: expect.stringMatching(/^[A-Z_]+$/), message: expect.any(String) } },
  ]);
  expect((await client.get('conversions/entries')).body.pagination.total).toBe(0);
});

test('names of the language’s own do no harm', async () => {
  const { client } = await office();
  const contactId = await client.contact({ email: 'ann@buyers.example' });
  const hostile = `{"sourceId":"${client.sourceId}","contactId":"${contactId}","__proto__":{"x":1},"data":{"__proto__":{"order_total":1},"constructor":"x","order_total":"2"}}`;
  expect((await client.raw(hostile)).body.data.eventValue).toBe(2);
});
