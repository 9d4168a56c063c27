import { beforeAll, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

let database: TestDatabase;
let shop: Shop;

beforeAll(async () => {
  database = await testDatabase();
  shop = await openShop(database.url);
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  await payrunJson(['payouts', 'prepare', '--by', 'ada', '--as-of', '2026-03-02'], shop);
});

const shown = (name: string) =>
  payrunJson(['affiliates', 'show', name], shop) as Promise<{ not_paid_because: string }>;

test('affiliates are listed with what is owed to them, found by a part of their name, and read page by page', async () => {
  const list = async (...flags: string[]) =>
    (await payrunJson(['affiliates', 'list', ...flags], shop)) as {
      affiliates: { ref: string }[];
      next: string | null;
    };
  const all = await list();
  expect(all).toMatchObject({
    affiliates: [
      {
        ref: 'ada',
        name: "Ada's Blog",
        status: 'active',
        payout_method: 'paypal',
        has_destination: 'yes',
        owed: '302.00 USD',
      },
      { ref: 'bob', owed: '20.00 USD' },
      { ref: 'cyd', payout_method: null, has_destination: 'no', owed: '250.00 USD' },
      { ref: 'dot', status: 'paused', owed: '' },
    ],
    next: null,
  });
  const first = await list('--limit', '3');
  expect(first.next).toBe('cyd');
  expect((await list('--after', first.next!)).affiliates.map(({ ref }) => ref)).toEqual(['dot']);
  const refs = async (...flags: string[]) => (await list(...flags)).affiliates.map(({ ref }) => ref);
  expect(await refs('--status', 'paused')).toEqual(['dot']);
  expect(await refs('--search', 'BLOG')).toEqual(['ada']);
  expect(await refs('--search', 'DOT@example')).toEqual(['dot']);
  expect(await refs('--search', '_')).toEqual([]);
  expect(await refs('--program', 'main')).toEqual(['ada', 'bob', 'cyd']);
});

test('one affiliate is shown by ref, short code or e-mail: balances, commissions, payouts, with the destination masked', async () => {
  const ada = await shown('ADA10');
  expect(ada).toMatchObject({
    ref: 'ada',
    payout_destination: 'a…@example.com',
    balances: [{ currency: 'USD', pending: '2.00', in_payout: '300.00' }],
    commissions: [
      { sale: 'INV-2', state: 'pending', amount: '2.00' },
      { sale: 'INV-1', state: 'in_payout', amount: '300.00' },
    ],
    payouts: [{ status: 'draft', amount: '300.00' }],
  });
  expect(await shown('ada@example.com')).toEqual(ada);
  const { stdout } = await payrun(['affiliates', 'show', 'ada'], shop);
  expect(stdout).not.toContain('ada@example.com');
  expect(stdout).toMatch(/^ +INV-1 +300\.00 USD +in payout +2026-02-09 +[0-9A-Z]{12}$/m);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const unknown = await payrun(['affiliates', 'show', 'nobody'], shop);
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no such affiliate') });
});

test('one sentence says why an affiliate was not paid', async () => {
  const why = async (name: string) => (await shown(name)).not_paid_because;
  expect(await why('ada')).toMatch(/^It is on its way: payout [0-9A-Z]{12} is a draft\.$/);
  expect(await why('bob')).toBe(
    '20.00 USD is ready and was left out on 2026-03-02, because the balance of 20.00 USD was under the minimum of 50.00 USD.',
  );
  expect(await why('cyd')).toBe('It can’t be paid, because it has no payout method or destination.');
  expect(await why('dot')).toBe('Nothing is owed.');
});

test('balances say what is owed in each state, as text, JSON and CSV, and sum it up by currency', async () => {
  expect(await payrunJson(['balances'], shop)).toMatchObject({
    balances: [
      {
        affiliate: 'ada',
        currency: 'USD',
        pending: '2.00',
        ready: '0.00',
        in_payout: '300.00',
        owed: '302.00',
      },
      { affiliate: 'bob', ready: '20.00', owed: '20.00' },
      { affiliate: 'cyd', ready: '250.00', owed: '250.00' },
    ],
    sums: [
      {
        currency: 'USD',
        affiliates: 3,
        owed: '572.00',
        pending: '2.00',
        ready: '270.00',
        in_payout: '300.00',
      },
    ],
    as_of: null,
    next: null,
  });
  expect(await payrunJson(['balances', '--limit', '1', '--after', 'ada:USD'], shop)).toMatchObject({
    balances: [{ affiliate: 'bob' }],
    next: 'bob:USD',
  });
  expect(await payrunJson(['balances', '--affiliate', 'dot'], shop)).toMatchObject({
    balances: [],
    sums: [],
  });
  const { stdout } = await payrun(['balances', '--csv'], shop);
  expect(stdout.split('\n')).toEqual([
    'affiliate,name,currency,pending,awaiting,ready,in_payout,owed,paid,declined',
    "ada,Ada's Blog,USD,2.00,0.00,0.00,300.00,302.00,0.00,0.00",
    'bob,Bob,USD,0.00,0.00,20.00,0.00,20.00,0.00,0.00',
    'cyd,Cyd,USD,0.00,0.00,250.00,0.00,250.00,0.00,0.00',
    '',
  ]);
  const text = await payrun(['balances'], shop);
  expect(text.stdout).toMatch(/^all 3 +USD +2\.00 +270\.00 +300\.00 +572\.00$/m);
});

test('the balances of a past day are what was booked by its end, in the zone of the programme', async () => {
  await database.db.sql
    .updateTable('posting')
    .set({ posted_at: new Date('2026-02-28T22:59:59Z') })
    .where('movement', '=', 'record')
    .execute();
  const owed = async (...flags: string[]) => payrunJson(['balances', '--affiliate', 'ada', ...flags], shop);
  expect(await owed('--as-of', '2026-02-27')).toMatchObject({ balances: [] });
  expect(await owed('--as-of', '2026-02-28')).toMatchObject({
    balances: [{ pending: '302.00', in_payout: '0.00', owed: '302.00' }],
    as_of: '2026-02-28T23:00:00.000Z',
  });
  expect(await owed('--as-of', '2026-02-28', '--zone', 'UTC')).toMatchObject({
    as_of: '2026-03-01T00:00:00.000Z',
  });
  const wrong = await payrun(['balances', '--as-of', '2026-02-28', '--zone', 'Berlin'], shop);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--zone: Europe/Berlin') });
  const strange = await payrun(['balances', '--after', 'ada'], shop);
  expect(strange).toMatchObject({ code: 2, stderr: expect.stringContaining('no row of this list') });
});
