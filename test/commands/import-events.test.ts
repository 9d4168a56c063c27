import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;

const sale = (id: string, customer: string, amount: number, affiliate?: string) =>
  JSON.stringify({
    event_name: 'paid',
    event_type: 'conversion',
    external_event_id: id,
    customer_id: customer,
    sale_amount: amount,
    sale_amount_currency: 'USD',
    occurred_at: '2026-01-10T12:00:00Z',
    ...(affiliate === undefined ? {} : { metadata: { affiliate_id: affiliate } }),
  });

const log = [
  sale('E-1', 'kim@example.com', 18230.55, 'ada'),
  sale('E-2', 'lee', 1000, 'bob'),
  sale('E-3', 'stranger', 5),
  sale('E-4', 'lee', 5, 'nobody'),
];

beforeAll(async () => {
  shop = await openShop((await testDatabase()).url);
  await writeFile(path.join(shop.cwd, 'log.ndjson'), `${log.join('\n')}\n`);
});

test('a dry run of a log tells a person what it is, what it says and what it would do, and ends with a plan', async () => {
  const { code, stdout } = await payrun(['import', 'events', 'log.ndjson', '--dry-run'], shop);
  expect(code).toBe(3);
  const [before, plan] = stdout.split('import it with --plan ');
  expect(plan).toMatch(/^\w{6}-\w{6}-\w{6}\.\n$/);
  expect(before).toBe(`log.ndjson  dry run: nothing was kept
Read as a log of conversions, leads, trials and milestones, because none of its first lines is an event of Stripe’s.

How it was read
  encoding  UTF-8, as its bytes show

The first events
  line 1
  key                    as written              field        as understood
  event_type             "conversion"            event type   conversion
  event_name             "paid"                  event name   paid
  external_event_id      "E-1"                   external id  E-1
  metadata.affiliate_id  "ada"                   affiliate    ada
  customer_id            "k…@…"                  customer id  k…@…
  sale_amount            18230.55                amount       18,230.55 USD
  sale_amount_currency   "USD"                   currency     USD
  occurred_at            "2026-01-10T12:00:00Z"  occurred at  2026-01-10T12:00:00Z

  line 2
  key                    as written              field        as understood
  event_type             "conversion"            event type   conversion
  event_name             "paid"                  event name   paid
  external_event_id      "E-2"                   external id  E-2
  metadata.affiliate_id  "bob"                   affiliate    bob
  customer_id            "lee"                   customer id  lee
  sale_amount            1000                    amount       1,000.00 USD
  sale_amount_currency   "USD"                   currency     USD
  occurred_at            "2026-01-10T12:00:00Z"  occurred at  2026-01-10T12:00:00Z

  line 3
  key                   as written              field        as understood
  event_type            "conversion"            event type   conversion
  event_name            "paid"                  event name   paid
  external_event_id     "E-3"                   external id  E-3
  customer_id           "stranger"              customer id  stranger
  sale_amount           5                       amount       5.00 USD
  sale_amount_currency  "USD"                   currency     USD
  occurred_at           "2026-01-10T12:00:00Z"  occurred at  2026-01-10T12:00:00Z

Events of each type
  type        lines
  conversion      4

Who would earn
  affiliate  sales         amount   commissions
  ada            1  18,230.55 USD  3,646.11 USD
  bob            1   1,000.00 USD    200.00 USD

recorded   2
rejected   1
parked     1
rows read  4

        sales   commissions
19,230.55 USD  3,846.11 USD

Parked: 1 row, tried again every night
  rows  first line  what they wait for
     1           3  The customer is not known yet; once an event or an import of referrals names them, it is recorded.

Rejected: 1 row to correct
  rows  first line  field                  what is wrong with the first
     1           4  metadata.affiliate_id  There is no affiliate "nobody"; import the affiliate first, or correct the name.

To do exactly this, `);
});

test('as JSON a dry run of a log has the shape that one of sales has', async () => {
  type Document = { preview: Record<string, unknown>; layout: Record<string, unknown> };
  const dry = async (kind: string, file: string) =>
    (await payrunJson(['import', kind, file, '--dry-run', '--again'], shop, 3)) as Document;
  const [sales, events] = [await dry('sales', 'sales.csv'), await dry('events', 'log.ndjson')];
  for (const part of [(one: Document) => one, (one: Document) => one.preview, (one: Document) => one.layout])
    expect(Object.keys(part(events))).toEqual(Object.keys(part(sales)));
});

test('a log that differs from its control totals is refused; one that agrees is imported by its plan', async () => {
  const totals = (sum: string) => ['--expect-rows', '4', '--expect-total', `USD=${sum}`];
  const refused = await payrun(['import', 'events', 'log.ndjson', ...totals('19235.55')], shop);
  expect([refused.code, refused.stdout]).toEqual([1, '']);
  expect(refused.stderr).toContain(
    'amounts of 19,240.55 USD, which is 5.00 more than the 19,235.55 expected',
  );
  const dry = ['import', 'events', 'log.ndjson', '--dry-run', ...totals('19240.55')];
  const { plan } = (await payrunJson(dry, shop, 3)) as { plan: string };
  const imported = ['import', 'events', 'log.ndjson', '--plan', plan, ...totals('19240.55')];
  expect(await payrunJson(imported, shop, 3)).toMatchObject({ recorded: 2, parked: 1, plan: null });
  const again = await payrun([...imported, '--again'], shop);
  expect([again.code, again.stdout]).toEqual([1, '']);
  expect(again.stderr).toContain('the ledger have changed');
});
