import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { booked } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import type { DeskSettings } from '../../support/desk.ts';
import { deskOfAnn } from '../ann.ts';

const { db } = await testDatabase();

const fixture = (name: string) =>
  readFileSync(new URL(`../../../fixtures/imports/${name}.ndjson`, import.meta.url), 'utf8');

/** What a rehearsal of `log` shows on a desk that knows Ann, which keeps nothing of it. */
async function rehearsed(log: string, settings: DeskSettings = {}) {
  const desk = await deskOfAnn(db, settings);
  const { report, counts } = await desk.land('events', log, { dryRun: true });
  expect((await booked(desk.world)).size).toBe(0);
  return { ...report, counts, preview: report.preview! };
}

const raw = (cells: { column: string; raw: string; understood: string }[]) =>
  cells.map((cell) => `${cell.column} ${cell.raw} = ${cell.understood}`);

test('a rehearsed log shows its first events, each field as it is written and as it is understood', async () => {
  const { preview } = await rehearsed(fixture('four-types'));
  expect(preview).toMatchObject({ encoding: { encoding: 'utf-8', by: 'bytes' }, delimiter: null });
  expect(preview).toMatchObject({ header_line: null, styles: [] });
  expect(preview.rows.map(({ line, fault }) => [line, fault])).toEqual([
    [1, null],
    [2, null],
    [3, null],
  ]);
  expect(preview.rows[2]!.cells.map(({ field }) => field).slice(2, 6)).toEqual([
    'external_id',
    'customer_id',
    'amount',
    'currency',
  ]);
  expect(raw(preview.rows[2]!.cells)).toEqual([
    'event_type "conversion" = conversion',
    'event_name "invoice_paid" = invoice_paid',
    'external_event_id "evt_2026_000145" = evt_2026_000145',
    'customer_id "c-1" = c-1',
    'sale_amount 99.0 = 99.00 USD',
    'sale_amount_currency "USD" = USD',
    'occurred_at "2026-01-10T10:00:00Z" = 2026-01-10T10:00:00Z',
    'product_ids ["p2", "p1"] = p1, p2',
    'price_ids ["x"] = x',
    'interval "monthly" = monthly',
    'is_subscription true = true',
  ]);
});

test('and how many events there are of each type, and who would earn', async () => {
  const { preview } = await rehearsed(fixture('four-types'));
  expect(preview.event_types).toEqual([
    { type: 'conversion', lines: 3, read: true },
    { type: 'milestone', lines: 2, read: true },
    { type: 'lead', lines: 1, read: true },
    { type: 'trial', lines: 1, read: true },
  ]);
  expect(preview.affiliates).toEqual([
    {
      affiliate: 'ann',
      currency: 'USD',
      sales: '109.07',
      commissions: '21.81',
      commission_currency: 'USD',
      rows: 3,
    },
  ]);
});

test('of a log of Stripe’s the amounts are shown in its unit and in ours, and what each event means', async () => {
  const { preview, layout } = await rehearsed(fixture('stripe-refunds-and-disputes'));
  expect(layout).toEqual({
    source: null,
    preset: null,
    log: 'stripe_events',
    why: 'line 1 is one of them',
  });
  expect(preview.rows.map(({ cells }) => raw(cells))).toEqual([
    [
      'type "charge.refunded" = refund',
      'created 1768212000 = 2026-01-12T10:00:00.000Z',
      'id "ch_1" = ch_1',
      'amount_refunded 2500 = 25.00 USD',
      'currency "usd" = USD',
    ],
    [
      'type "charge.succeeded" = conversion',
      'id "ch_1" = ch_1',
      'metadata.affiliate_id "ann" = ann',
      'amount_captured 10000 = 100.00 USD',
      'currency "usd" = USD',
      'created 1768039200 = 2026-01-10T10:00:00.000Z',
    ],
    [
      'type "charge.refunded" = refund',
      'created 1768298400 = 2026-01-13T10:00:00.000Z',
      'id "ch_1" = ch_1',
      'amount_refunded 10000 = 100.00 USD',
      'currency "usd" = USD',
    ],
  ]);
  expect(preview.event_types.at(-1)).toEqual({ type: 'refund.created', lines: 1, read: false });
  expect(preview.affiliates).toMatchObject([{ affiliate: 'ann', rows: 1, sales: '0.00' }]);
});

test('each affiliate is counted over charges and invoices together', async () => {
  const { preview } = await rehearsed(fixture('stripe-two-api-versions'));
  expect(preview.affiliates).toMatchObject([{ affiliate: 'ann', rows: 2, sales: '319.00' }]);
  expect(raw(preview.rows[2]!.cells)).toContain(
    'parent.subscription_details.metadata.affiliate_id "ann" = ann',
  );
});

test('an event that is ignored says why, and types that nothing is read from do not stand among the first', async () => {
  const event = (type: string, object: Record<string, unknown>, livemode = true) =>
    JSON.stringify({
      id: `evt_${type}`,
      object: 'event',
      type,
      created: 1768039200,
      livemode,
      data: { object },
    });
  const charge = { id: 'ch_1', amount: 500, currency: 'usd' };
  const log = [
    event('price.created', { id: 'price_1' }),
    event('charge.succeeded', charge, false),
    event('charge.succeeded', { ...charge, captured: false }),
    event('customer.updated', { id: 'cus_1', email: 'kim@example.com' }),
  ];
  const { preview } = await rehearsed(log.join('\n'));
  expect(preview.rows.map(({ line, cells }) => [line, cells[0]!.understood])).toEqual([
    [2, 'ignored: test mode'],
    [3, 'ignored: no money moved'],
    [4, 'ignored: names no partner'],
  ]);
  expect(JSON.stringify(preview)).not.toContain('kim@');
});

test('what is faulty stands there with what is wrong with it', async () => {
  const { preview } = await rehearsed(fixture('stripe-faults'));
  expect(preview.rows.map(({ line, fault }) => [line, fault?.code])).toEqual([
    [1, 'json'],
    [2, 'stripe-event'],
    [3, undefined],
  ]);
  const { preview: ours } = await rehearsed(
    '{"event_name":"paid","event_type":"purchase","customer_id":"c"}',
  );
  expect(ours.rows).toMatchObject([{ line: 1, fault: { code: 'event-type', field: 'event_type' } }]);
  expect(raw(ours.rows[0]!.cells)[0]).toBe('event_type "purchase" = ');
  expect(ours.event_types).toEqual([{ type: 'purchase', lines: 1, read: false }]);
});

test('e-mail addresses are hidden, and long texts shortened', async () => {
  const line = {
    event_name: 'x'.repeat(1000),
    event_type: 'conversion',
    customer_id: 'kim.lee@example.com',
    external_event_id: 'e-1',
    sale_amount: 5,
    sale_amount_currency: 'USD',
    metadata: { affiliate_id: 'nobody@example.com' },
  };
  const escaped = JSON.stringify(line).replace('kim.lee@', 'kim.lee\\u0040');
  const shown = await rehearsed(`${JSON.stringify(line)}\n${escaped}\n{"broken": "kim.lee@example.com"\n`);
  expect(JSON.stringify(shown)).not.toMatch(/kim|example|nobody/);
  expect(raw(shown.preview.rows[0]!.cells)).toContain('customer_id "k…@…" = k…@…');
  expect(shown.preview.rows[0]!.cells[1]!.raw).toHaveLength(200);
});

test('what would be parked is told by what it waits for', async () => {
  const lines = [
    ...fixture('parked').trim().split('\n'),
    '{"event_name":"x","event_type":"trial","customer_id":"stranger"}',
  ];
  const { parked_groups: groups, counts } = await rehearsed(lines.join('\n'));
  expect(groups).toEqual([
    {
      code: 'customer-unknown',
      field: 'customer_id',
      rows: counts.parked,
      first_line: expect.any(Number),
      message:
        'The customer is not known yet; once an event or an import of referrals names them, it is recorded.',
    },
  ]);
  const desk = await deskOfAnn(db);
  const refund =
    'external_id,affiliate,amount,currency,occurred_at,refund_of\nr-1,ann,5,USD,2026-01-10,s-1\n';
  const { report } = await desk.land('sales', refund, { dryRun: true });
  expect(report.parked_groups).toMatchObject([
    {
      code: 'sale-unknown',
      rows: 1,
      first_line: 2,
      message: 'The sale "s-1" is not recorded yet; when it is, this is booked.',
    },
  ]);
});

test('a type for each line does not fill the memory', async () => {
  const lines = Array.from(
    { length: 150 },
    (_, n) => `{"event_name":"x","event_type":"t${n}","customer_id":"c"}`,
  );
  const { preview } = await rehearsed(lines.join('\n'));
  expect(preview.event_types[0]).toEqual({ type: 'other types', lines: 50, read: false });
  expect(preview.event_types).toHaveLength(101);
});

test('without a rehearsal nothing is shown, but whose log it was', async () => {
  const desk = await deskOfAnn(db, { sources: [{ ref: 'mine', kind: 'stripe_events' }] });
  const { report } = await desk.land('events', fixture('stripe-test-mode'), { source: 'mine' });
  expect(report.preview).toBeNull();
  expect(report.layout).toEqual({
    source: 'mine',
    preset: null,
    log: 'stripe_events',
    why: 'that is what the source is for',
  });
});
