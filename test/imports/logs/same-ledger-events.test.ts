import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryParked } from '../../../src/imports/import.ts';
import { testDatabase } from '../../support/database.ts';
import type { Desk } from '../../support/desk.ts';
import { ledgerOf } from '../../support/ledger-of.ts';
import { holds } from '../../support/property.ts';
import { deskOfAnn } from '../ann.ts';

const { db } = await testDatabase();

const customers = ['c-1', 'c-2', 'c-3'] as const;
const happening = fc.record({
  customer: fc.constantFrom(...customers),
  kind: fc.constantFrom('lead', 'trial', 'milestone', 'conversion', 'conversion', 'conversion'),
  day: fc.integer({ min: 1, max: 28 }),
  cents: fc.integer({ min: 0, max: 99_999 }),
  isSubscription: fc.boolean(),
});

/** A log in which the first line of each customer says who brought it; no event id comes with other facts. */
const log = fc.array(happening, { minLength: 1, maxLength: 20 }).map((all) => {
  const owners = customers.map((customer, index) =>
    lineOf(`lead-${index}`, { customer, kind: 'lead', day: 1, cents: 0, isSubscription: false }, 'ann'),
  );
  return [...owners, ...all.map((one, index) => lineOf(`e-${index}`, one))];
});

function lineOf(
  id: string,
  one: typeof happening extends fc.Arbitrary<infer One> ? One : never,
  owner?: string,
) {
  const isSale = one.kind === 'conversion';
  return JSON.stringify({
    event_name: one.kind,
    event_type: one.kind,
    customer_id: one.customer,
    external_event_id: id,
    occurred_at: `2026-01-${String(one.day).padStart(2, '0')}T10:00:00Z`,
    ...(isSale && { sale_amount: one.cents / 100, sale_amount_currency: 'USD' }),
    ...(isSale && { is_subscription: one.isSubscription }),
    ...(owner && { metadata: { affiliate_id: owner } }),
  });
}

const layout = fc.record({ lineEnd: fc.constantFrom('\n', '\r\n', '\n\n'), isMarked: fc.boolean() });
type Layout = typeof layout extends fc.Arbitrary<infer Value> ? Value : never;

async function land(desk: Desk, lines: string[], { lineEnd, isMarked }: Layout): Promise<void> {
  if (lines.length === 0) return;
  const text = `${isMarked ? '\ufeff' : ''}${lines.join(lineEnd)}${lineEnd}`;
  const { counts } = await desk.land('events', text, { again: true });
  const blank = lineEnd === '\n\n' ? lines.length : 0;
  expect(counts).toMatchObject({ rows: lines.length + blank, ignored: blank, conflicts: 0, rejected: 0 });
}

test('whatever the order of its lines, however often they come, and cut in two wherever, a log gives the same ledger', async () => {
  const written = fc.tuple(
    log,
    fc.array(fc.nat(1_000_000), { minLength: 8, maxLength: 40 }),
    fc.nat(),
    layout,
    layout,
  );
  await holds(
    fc.asyncProperty(written, async ([lines, keys, cut, one, other]) => {
      const whole = await deskOfAnn(db);
      await land(whole, lines, { lineEnd: '\n', isMarked: false });
      const expected = await ledgerOf(whole.world);
      const doubled = [...lines, ...keys.slice(0, 6).map((key) => lines[key % lines.length]!)];
      const order = doubled
        .map((line, index) => ({ line, key: keys[index % keys.length]! ^ (index * 7919) }))
        .sort((a, b) => a.key - b.key)
        .map(({ line }) => line);
      const desk = await deskOfAnn(db);
      const border = cut % (order.length + 1);
      await land(desk, order.slice(0, border), one);
      await land(desk, order.slice(border), other);
      await retryParked(desk.work());
      expect(await ledgerOf(desk.world)).toEqual(expected);
      await land(desk, lines, one);
      expect(await ledgerOf(desk.world)).toEqual(expected);
    }),
    20,
  );
});
