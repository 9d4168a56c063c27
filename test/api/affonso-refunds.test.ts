import { expect, test } from 'vitest';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();

/** A desk of 30 % with one sale of 99.00 USD, and how to refund it. */
async function soldDesk(settings: Parameters<typeof serveDesk>[1] = {}) {
  const desk = await serveDesk(db, { program: { commission: { percent: '30' } }, ...settings });
  await desk.world.affiliate({ ref: 'ann' });
  await desk.land('referrals', 'ref,affiliate,customer_id,status\nref_456def,ann,cust_123,lead\n');
  const key = await desk.key('affonso');
  const sell = async (id: string, amount: number) => {
    const body = { customer_id: 'cust_123', sale_amount: amount, external_event_id: id };
    return (await desk.send('POST', '/v1/conversions', { key, body })).body.data;
  };
  const sale = await sell('inv_1', 99);
  const refund = (body?: unknown, id = sale.id, used = key) =>
    desk.send('POST', `/v1/conversions/${id}/refund`, { key: used, ...(body !== undefined && { body }) });
  return { desk, key, sale, sell, refund };
}

async function refundsOf(accountId: number) {
  return db.sql
    .selectFrom('refund')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('place')
    .execute();
}

test('the documented refund of a half shows what remains, and leaves the status', async () => {
  const { desk, sale, refund } = await soldDesk();
  const answer = await refund({
    amount: 49.5,
    currency: 'USD',
    reason: 'customer_cancellation',
    external_event_id: 're_1',
  });
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      success: true,
      data: {
        ...sale,
        sale_amount: 49.5,
        commission_amount: 14.85,
        sales_status: 'partial_refunded',
        external_event_id: 'inv_1',
      },
    },
  ]);
  expect(answer.text).toContain('"sale_amount":49.50,');
  const again = await refund({ amount: 49.5, external_event_id: 're_1' });
  expect([again.status, again.body.data]).toEqual([200, { ...answer.body.data, replayed: true }]);
  expect(await refundsOf(desk.world.accountId)).toHaveLength(1);
  expect(await audited(desk.world)).toEqual([]);
});

test('without an amount all that remains is refunded, and repeating it changes nothing', async () => {
  const { desk, refund } = await soldDesk();
  await refund({ amount: 30, external_event_id: 're_1' });
  const rest = await refund();
  expect(rest.body.data).toMatchObject({
    sale_amount: 0,
    commission_amount: 0,
    sales_status: 'refunded',
    status: 'declined',
    replayed: false,
  });
  for (const body of [undefined, {}, { external_event_id: 're_1' }, { external_event_id: 're_9' }]) {
    const again = await refund(body);
    expect([again.status, again.body.data?.sale_amount, again.body.data?.replayed]).toEqual([200, 0, true]);
  }
  expect((await refundsOf(desk.world.accountId)).map((one) => one.amount)).toEqual([3_000n, 6_900n]);
  expect(await audited(desk.world)).toEqual([]);
});

test('a full refund with an id is the same again, though nothing remains', async () => {
  const { desk, refund } = await soldDesk();
  for (const replayed of [false, true, true]) {
    const answer = await refund({ external_event_id: 're_all' });
    expect([answer.status, answer.body.data.replayed, answer.body.data.sale_amount]).toEqual([
      200,
      replayed,
      0,
    ]);
  }
  expect(await refundsOf(desk.world.accountId)).toHaveLength(1);
});

test('the same id with other facts is answered as the sale is, and the conflict is kept', async () => {
  const { desk, refund } = await soldDesk();
  await refund({ amount: 10, external_event_id: 're_1' });
  const other = await refund({ amount: 20, external_event_id: 're_1' });
  expect([other.status, other.body.data.sale_amount, other.body.data.replayed]).toEqual([200, 89, true]);
  const conflicts = await db.sql
    .selectFrom('conflict')
    .select('about')
    .where('account_id', '=', desk.world.accountId)
    .execute();
  expect(conflicts).toEqual([{ about: 'refund' }]);
});

test('more than remains, nothing, another currency or a part of a cent is refused', async () => {
  const { desk, refund } = await soldDesk();
  await refund({ amount: 90, external_event_id: 're_1' });
  for (const [body, field] of [
    ['{"amount":9.01}', 'amount'],
    ['{"amount":0}', 'amount'],
    ['{"amount":-1}', 'amount'],
    ['{"amount":1.005}', 'amount'],
    ['{"amount":1e400}', 'amount'],
    ['{"amount":0.30000000000000004}', 'amount'],
    ['{"amount":"1"}', 'amount'],
    ['{"amount":1,"currency":"EUR"}', 'currency'],
    ['{"amount":1,"refunded_at":"then"}', 'refunded_at'],
  ]) {
    const answer = await refund(body);
    expect([body, answer.status, answer.body.error?.code, answer.body.error?.details[0].field]).toEqual([
      body,
      400,
      'VALIDATION_ERROR',
      field,
    ]);
  }
  expect(await refundsOf(desk.world.accountId)).toHaveLength(1);
  expect((await refund({ amount: 9 })).body.data.sales_status).toBe('refunded');
  expect(await audited(desk.world)).toEqual([]);
});

test('a refund takes no id that a sale has, and tells which field it is', async () => {
  const { refund } = await soldDesk();
  const answer = await refund({ amount: 1, external_event_id: 'inv_1' });
  expect([answer.status, answer.body.error]).toEqual([
    409,
    { code: 'DUPLICATE_ERROR', message: expect.any(String), field: 'external_event_id' },
  ]);
});

test('a status in a refund needs the scope for it, and what is not there is not found', async () => {
  const { desk, sale, refund } = await soldDesk();
  expect((await refund({ amount: 1, status: 'declined' })).status).toBe(403);
  const may = await desk.key('affonso', { scopes: ['read', 'write', 'status'] });
  expect((await refund({ amount: 1, status: 'declined' }, sale.id, may)).status).toBe(200);
  const other = await soldDesk();
  for (const id of [other.sale.id, sale.referral_id, 'nothing', `com_${'0'.repeat(26)}`])
    expect((await refund({ amount: 1 }, id)).status).toBe(404);
  expect(await refundsOf(other.desk.world.accountId)).toEqual([]);
});

test('an id prefix of the source is put before the ids of sales and refunds, and never shown', async () => {
  const { desk, sale, refund } = await soldDesk({
    sources: [{ ref: 'shop', kind: 'api', id_prefix: 'shop:' }],
  });
  expect(sale.external_event_id).toBe('inv_1');
  const answer = await refund({ amount: 1, external_event_id: 're_1' });
  expect(answer.body.data.external_event_id).toBe('inv_1');
  const [booked] = await refundsOf(desk.world.accountId);
  expect(booked!.external_id).toBe('shop:re_1');
});

test('of refunds that come at once each cent is given back once', async () => {
  const { desk, sale, refund } = await soldDesk();
  const answers = await Promise.all([
    ...Array.from({ length: 12 }, (_, n) => refund({ amount: 10, external_event_id: `part-${n % 6}` })),
    ...Array.from({ length: 8 }, () => refund()),
  ]);
  const odd = answers.filter((one) => ![200, 400].includes(one.status));
  expect(odd.map((one) => one.text)).toEqual([]);
  const last = await refund();
  expect(last.body.data).toMatchObject({ sale_amount: 0, commission_amount: 0, id: sale.id });
  const booked = await refundsOf(desk.world.accountId);
  expect(booked.reduce((sum, one) => sum + one.amount, 0n)).toBe(9_900n);
  expect(await audited(desk.world)).toEqual([]);
});
