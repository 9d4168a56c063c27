import { createHmac } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { expect, test } from 'vitest';
import { revokeKey } from '../../src/db/api-keys.ts';
import { testDatabase } from '../support/database.ts';
import { today } from '../support/world.ts';
import { serveDesk } from './serving.ts';

const { db } = await testDatabase();
const list = '/api/v1/conversions';
const sale = (id: string) => ({ affiliate_id: 'ann', amount_cents: 100, external_id: id });

test('a key opens the routes of its kind and account alone, and a revoked one none, in every process at once', async () => {
  const other = await serveDesk(db);
  const desk = await serveDesk(db, { beside: other });
  const second = await desk.again();
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  const post = (id: string, given: string | undefined = key, at?: string) =>
    desk
      .send('POST', list, { ...(given !== undefined && { key: given }), ...(at && { at }), body: sale(id) })
      .then(({ status }) => status);
  expect(await post('1')).toBe(201);
  expect(await post('1', await other.key('affilut'))).toBe(404);
  expect((await desk.send('POST', list, { body: sale('2') })).status).toBe(401);
  const wrong = [
    '',
    'aff_',
    `${key}x`,
    key.slice(0, -1),
    key.replace('aff_', 'sk_live_'),
    await desk.key('payrun'),
  ];
  for (const one of wrong) expect(await post('2', one)).toBe(401);
  expect(await post('2', key, other.url)).toBe(401);
  expect(await post('3', await desk.key('affilut', { scopes: ['read'] }))).toBe(403);
  expect(await post('4', key, second)).toBe(201);
  for (const { id } of await db.sql
    .selectFrom('api_key')
    .select('id')
    .where('account_id', '=', desk.world.accountId)
    .execute())
    await revokeKey(db, desk.world.accountId, id, today);
  expect([await post('5'), await post('5', key, second)]).toEqual([401, 401]);
});

test('the limit of a minute is counted over all processes, and told on every answer', async () => {
  let minute = 0;
  const now = () => new Date(today.getTime() + 60_000 * minute);
  const desk = await serveDesk(db, { now });
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  const second = await desk.again();
  const answers = [];
  for (let n = 0; n < 31; n += 1) {
    const body = { ...sale(`${n}`), amount_cents: 0 };
    answers.push(await desk.send('POST', list, { key, body, at: n % 2 ? second : desk.url }));
  }
  expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual([
    ...Array.from({ length: 30 }, (_, n) => String(29 - n)),
    '0',
  ]);
  const last = answers.at(-1)!;
  expect([last.status, last.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)]);
  expect(Number(last.headers.get('x-ratelimit-reset'))).toBeGreaterThan(now().getTime() / 1000);
  minute += 1;
  expect((await desk.send('POST', list, { key, body: sale('later') })).status).toBe(201);
});

test.each([
  ['no JSON', '{"affiliate_id": ann}'],
  ['a list', '[1]'],
  ['a name twice', '{"affiliate_id":"ann","affiliate_id":"bob","amount_cents":1}'],
  ['a NUL', '{"affiliate_id":"ann\\u0000","amount_cents":1}'],
  ['half a character', '{"affiliate_id":"\\ud800","amount_cents":1}'],
  ['too deep', `{"affiliate_id":${'['.repeat(60)}${']'.repeat(60)},"amount_cents":1}`],
  ['a proto', '{"__proto__":{"affiliate_id":"ann"},"amount_cents":1}'],
  ['an endless number', '{"affiliate_id":"ann","amount_cents":1e400}'],
  ['a fraction of a cent', '{"affiliate_id":"ann","amount_cents":0.30000000000000004}'],
  ['a negative amount', '{"affiliate_id":"ann","amount_cents":-1}'],
  ['a text for a number', '{"affiliate_id":"ann","amount_cents":"1"}'],
  ['an id of 300 characters', JSON.stringify({ ...sale('x'.repeat(300)) })],
  ['nothing', ''],
])('a body with %s is refused in one sentence', async (_, body) => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const answer = await desk.send('POST', list, { key: await desk.key('affilut'), body });
  expect([answer.status, answer.body]).toEqual([400, { error: expect.any(String) }]);
  expect(answer.text).not.toMatch(/ at |node_modules|select |Error:/);
});

test('bytes that are no UTF-8, another content type and a body of more than a megabyte are refused', async () => {
  const desk = await serveDesk(db);
  const headers = {
    authorization: `Bearer ${await desk.key('affilut')}`,
    'content-type': 'application/json',
  };
  const post = (body: string | Uint8Array<ArrayBuffer>, more = {}) =>
    fetch(desk.url + list, { method: 'POST', headers: { ...headers, ...more }, body }).then(
      ({ status }) => status,
    );
  expect(await post(new Uint8Array([0x7b, 0xff, 0x7d]))).toBe(400);
  expect(await post('a=1', { 'content-type': 'application/x-www-form-urlencoded' })).toBe(400);
  expect(await post(`{"affiliate_id":"${'x'.repeat(1_100_000)}"}`)).toBe(413);
});

test('a client that sends nothing more does not keep the server from others', async () => {
  const desk = await serveDesk(db);
  const { port } = new URL(desk.url);
  const slow = connectSocket(Number(port), '127.0.0.1');
  slow.write('POST /api/v1/conversions HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n');
  expect((await desk.send('GET', '/healthz')).status).toBe(200);
  slow.destroy();
});

test('requests that must be signed are refused unsigned, forged, altered and stale; the same signature may come again', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut', { secret: 'whsec_custom' });
  const body = JSON.stringify(sale('signed'));
  const stamp = String(today.getTime() / 1000);
  const sign = (text: string, secret = 'whsec_custom') =>
    createHmac('sha256', secret).update(text).digest('hex');
  const post = (signature: string, timestamp = stamp, sent = body) =>
    desk
      .send('POST', list, {
        key,
        body: sent,
        headers: { 'x-affonso-timestamp': timestamp, 'x-affonso-signature': signature },
      })
      .then(({ status }) => status);
  const right = sign(`${stamp}.${body}`);
  expect((await desk.send('POST', list, { key, body })).status).toBe(401);
  const stale = String(Number(stamp) - 301);
  const refused = [
    post(right.toUpperCase()),
    post(sign(`${stamp}.${body}`, 'another')),
    post(right, stamp, body.replace('100', '900')),
    post(sign(`${stale}.${body}`), stale),
    post(sign(`x.${body}`), 'x'),
    post(''),
  ];
  expect(await Promise.all(refused)).toEqual([401, 401, 401, 401, 401, 401]);
  expect([await post(right), await post(right)]).toEqual([201, 409]);
});
