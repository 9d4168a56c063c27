import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { importInbox, retryParked } from '../../../src/imports/import.ts';
import { audited, booked, referrals } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import type { Desk } from '../../support/desk.ts';
import { ledgerOf } from '../../support/ledger-of.ts';
import { holds } from '../../support/property.ts';
import { deskOfAnn } from '../ann.ts';

const { db } = await testDatabase();

const fixture = (name: string) =>
  readFileSync(new URL(`../../../fixtures/imports/${name}.ndjson`, import.meta.url), 'utf8')
    .trim()
    .split('\n');
const land = (desk: Desk, lines: string[]) => desk.land('events', `${lines.join('\n')}\n`);

const day = (at: number) => `2026-01-1${at}T10:00:00Z`;
const seconds = (text: string) => Date.parse(text) / 1000;
let events = 0;

function event(type: string, object: Record<string, unknown>, at = '2026-01-10T10:00:00Z'): string {
  events += 1;
  const id = `evt_t${events}`;
  return JSON.stringify({
    id,
    object: 'event',
    type,
    created: seconds(at),
    livemode: true,
    data: { object },
  });
}

function charge(id: string, more: Record<string, unknown> = {}): string {
  const created = seconds('2026-01-10T10:00:00Z');
  return event('charge.succeeded', {
    id,
    amount: 5000,
    currency: 'usd',
    created,
    customer: 'cus_1',
    ...more,
  });
}

const customer = event('customer.updated', { id: 'cus_1', metadata: { affiliate_id: 'ann' } });

/** The ledger that an account has, without ids and lines. */
async function books(desk: Desk): Promise<unknown> {
  const sales = [...(await booked(desk.world)).values()].map((row) => ({
    id: row.external_id,
    affiliate: row.affiliate,
    amount: row.amount,
    at: row.occurred_at,
    commission: row.commission,
    incentive: row.incentive,
    hold: row.hold_until,
  }));
  const known = (await referrals(desk.world)).map(
    ({ status, customer_id, click_id, affiliate, converted_at }) => ({
      status,
      customer_id,
      click_id,
      affiliate,
      converted_at,
    }),
  );
  const byText = (a: unknown, b: unknown) => (text(a) < text(b) ? -1 : 1);
  return { sales: sales.sort(byText), referrals: known.sort(byText), ledger: await ledgerOf(desk.world) };
}

const text = (value: unknown) =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one));

describe('a log of Stripe’s events', () => {
  const story = [
    ...fixture('stripe-renewals'),
    ...fixture('stripe-two-api-versions').map((line) =>
      line.replaceAll(/"((?:evt|ch|pi|in|cus|sub|clk)[_-])(?=\w)/g, '"$1b'),
    ),
    ...fixture('stripe-refunds-and-disputes').map((line) =>
      line.replaceAll(/"((?:evt|ch|pi|dp)_)(?=\w)/g, '"$1c'),
    ),
    ...['stripe-refunds-that-failed', 'stripe-disputes-turned'].flatMap((name, at) =>
      fixture(name).map((line) => line.replace('"evt_', `"evt_d${at}`)),
    ),
  ];
  const settings = {
    program: {
      incentives: [
        { ref: 'pro', percent: '30', product_ids: ['prod_pro'], subscription_only: true },
        { ref: 'yearly', percent: '10', price_ids: ['price_y'] },
      ],
    },
  };
  const deskOfTwo = async () => {
    const desk = await deskOfAnn(db, settings);
    await desk.world.affiliate({ ref: 'bob' });
    return desk;
  };

  test('gives the same books whatever the order of its lines, and however often they come', async () => {
    const first = await deskOfTwo();
    const expected = (await land(first, story)).counts;
    const inOrder = await books(first);
    expect(expected).toMatchObject({ recorded: 36, conflicts: 0, rejected: 0, parked: 1 });
    const places = [...story.keys()];
    const doubled = fc.tuple(
      fc.shuffledSubarray(places, { minLength: places.length }),
      fc.array(fc.constantFrom(...places), { maxLength: 5 }),
    );
    await holds(
      fc.asyncProperty(doubled, async ([order, again]) => {
        const desk = await deskOfTwo();
        const { counts } = await land(
          desk,
          [...again, ...order].map((place) => story[place]!),
        );
        const { recorded, parked, conflicts } = counts;
        expect({ recorded, parked, conflicts }).toEqual({
          recorded: expected.recorded,
          parked: expected.parked,
          conflicts: 0,
        });
        expect(text(await books(desk))).toBe(text(inOrder));
      }),
      12,
    );
  });

  test('comes to the same whichever of its lines comes first, each in a log of its own: refunds that failed, disputes that turned', async () => {
    const lines = [...fixture('stripe-refunds-that-failed'), ...fixture('stripe-disputes-turned')];
    const sums = async (desk: Desk) => {
      const rows = await sql`
        select c.external_id, c.sales_status, sum(m.amount) as earned, bool_and(m.status = 'declined') as declined
        from conversion c join commission m on m.account_id = c.account_id and (m.id = c.id or m.reverses = c.id)
        where c.account_id = ${desk.world.accountId} group by 1, 2 order by 1`.execute(db.sql);
      return rows.rows;
    };
    const first = await deskOfAnn(db);
    await land(first, lines);
    const expected = await sums(first);
    await holds(
      fc.asyncProperty(fc.shuffledSubarray(lines, { minLength: lines.length }), async (order) => {
        const desk = await deskOfAnn(db);
        for (const line of order) await land(desk, [line]);
        expect(await sums(desk)).toEqual(expected);
        expect(await audited(desk.world)).toEqual([]);
      }),
      4,
    );
  });

  test('gives the same books cut in two between payments, and nothing new when it comes again', async () => {
    const first = await deskOfTwo();
    const whole = fixture('stripe-renewals');
    await land(first, whole);
    const desk = await deskOfTwo();
    await land(desk, whole.slice(0, 6));
    await land(desk, whole.slice(6));
    expect(text(await books(desk))).toBe(text(await books(first)));
    const again = await land(desk, [...whole].reverse());
    expect(again.counts).toMatchObject({ recorded: 0, updated: 0, conflicts: 0, duplicates: 8, ignored: 4 });
    expect(text(await books(desk))).toBe(text(await books(first)));
  });

  test('and Stripe’s export of the same payments are the same sales', async () => {
    const desk = await deskOfTwo();
    const header = 'external_id,affiliate,amount,currency,occurred_at';
    await desk.land('sales', `${header}\nch_1,ann,50.00,USD,2026-01-10T10:00:00Z\n`);
    const landed = await land(desk, [customer, charge('ch_1'), charge('ch_2')]);
    expect(landed.counts).toMatchObject({ recorded: 2, duplicates: 1 });
  });

  test('whose invoice comes in a later log than its charge is a conflict where it tells of products', async () => {
    const desk = await deskOfAnn(db);
    await land(desk, [customer, charge('ch_1')]);
    const price = { id: 'price_1', product: 'prod_1' };
    const invoice = { id: 'in_1', charge: 'ch_1', amount_paid: 5000, currency: 'usd', customer: 'cus_1' };
    const lines = { data: [{ amount: 5000, price }] };
    const later = await land(desk, [event('invoice.paid', { ...invoice, lines })]);
    expect(later.report.conflict_rows).toMatchObject([
      { external_id: 'ch_1', difference: { product_ids: { ours: [], theirs: ['prod_1'] } } },
    ]);
    expect((await land(desk, [event('invoice.paid', invoice)])).counts).toMatchObject({ duplicates: 1 });
  });

  test('whose charge comes again in a later log, without its invoice, is the same sale: it says nothing of products', async () => {
    const desk = await deskOfAnn(db);
    const invoice = event('invoice.paid', {
      id: 'in_1',
      charge: 'ch_1',
      customer: 'cus_1',
      amount_paid: 5000,
      currency: 'usd',
      lines: { data: [{ amount: 5000, price: { id: 'price_1', product: 'prod_1' } }] },
    });
    await land(desk, [customer, charge('ch_1', { invoice: 'in_1' }), invoice]);
    const { counts } = await land(desk, [charge('ch_1', { invoice: 'in_1' })]);
    expect(counts).toMatchObject({ duplicates: 1, conflicts: 0 });
    const other = await land(desk, [charge('ch_1', { invoice: 'in_1', amount: 6000 })]);
    expect(other.counts).toMatchObject({ conflicts: 1 });
    const [conflict] = await db.sql
      .selectFrom('conflict')
      .select(['difference', 'product_ids'])
      .where('account_id', '=', desk.world.accountId)
      .execute();
    expect(conflict).toEqual({
      difference: { amount: { ours: '5000', theirs: '6000' } },
      product_ids: ['prod_1'],
    });
  });

  test('that credits a payment whose charge came in an earlier log says so, and that log records it when it comes again', async () => {
    const desk = await deskOfAnn(db);
    const early = charge('ch_1', { customer: 'cus_9', payment_intent: 'pi_1' });
    expect((await land(desk, [early])).counts).toMatchObject({ recorded: 0, ignored: 1 });
    const checkout = event('checkout.session.completed', {
      id: 'cs_1',
      mode: 'payment',
      payment_intent: 'pi_1',
      customer: 'cus_9',
      metadata: { affiliate_id: 'ann' },
    });
    const { report } = await land(desk, [checkout, charge('ch_2')]);
    expect(report.warnings).toEqual([
      '1 payment of a partner has no charge in this log; if an earlier log has it, import that one once more with --again',
    ]);
    const again = await desk.land('events', `${early}\n`, { again: true });
    expect(again.counts).toMatchObject({ recorded: 1 });
    const both = await land(desk, [checkout, early]);
    expect(both.report.warnings).toEqual([]);
  });

  test('is known by its first lines, also where the first is broken', async () => {
    const desk = await deskOfAnn(db);
    expect((await land(desk, ['{broken', customer, charge('ch_1')])).counts).toMatchObject({
      recorded: 2,
      rejected: 1,
    });
  });
});

describe('a customer', () => {
  test('that is known earns their partner every later payment, though no event names the partner again', async () => {
    const desk = await deskOfAnn(db);
    await land(desk, [customer]);
    await land(desk, [charge('ch_1'), charge('ch_2', { customer: 'cus_2' })]);
    expect([...(await booked(desk.world)).keys()]).toEqual(['ch_1']);
  });

  test('that left is canceled, even if payments still come', async () => {
    const desk = await deskOfAnn(db);
    await land(desk, [
      event('customer.subscription.deleted', { id: 'sub_1', customer: 'cus_1' }),
      charge('ch_1'),
      customer,
    ]);
    await land(desk, [charge('ch_2')]);
    expect(await referrals(desk.world)).toMatchObject([{ customer_id: 'cus_1', status: 'canceled' }]);
    expect((await booked(desk.world)).size).toBe(2);
  });

  test('that was rejected stays rejected when they leave', async () => {
    const desk = await deskOfAnn(db);
    await desk.land('referrals', 'affiliate,customer_id,status\nann,cus_1,rejected\n');
    const left = event('customer.subscription.deleted', { id: 'sub_1', customer: 'cus_1' });
    expect((await land(desk, [left])).counts).toMatchObject({ recorded: 1 });
    expect(await referrals(desk.world)).toMatchObject([{ status: 'rejected' }]);
  });
});

describe('refunds and disputes', () => {
  const refunded = (sum: number, at: number) =>
    event(
      'charge.refunded',
      { id: 'ch_1', amount_refunded: sum, currency: 'usd', customer: 'cus_1' },
      day(at),
    );

  test('wait as long as their sale is known or may come; those of other sales are ignored', async () => {
    const desk = await deskOfAnn(db);
    const first = refunded(100, 1);
    expect((await land(desk, [first])).counts).toMatchObject({ parked: 0, ignored: 1 });
    expect((await land(desk, [first, customer])).counts).toMatchObject({ parked: 1, ignored: 0 });
    const booked = await land(desk, [charge('ch_1'), first]);
    expect(booked.counts).toMatchObject({ recorded: 1, duplicates: 1, parked: 0 });
    expect(booked.totals).toMatchObject({ USD: { sales: '49.00', commissions: '9.80' } });
    expect(await retryParked(desk.work())).toMatchObject({ counts: { rows: 0, still_parked: 0 } });
  });

  test('come to the same sum whichever log of them comes first', async () => {
    const desk = await deskOfAnn(db);
    await land(desk, [customer, charge('ch_1'), refunded(3000, 2)]);
    const late = await land(desk, [refunded(1000, 1)]);
    expect(late.counts).toMatchObject({ recorded: 0, duplicates: 1, conflicts: 0 });
    const last = await land(desk, [refunded(5000, 3)]);
    expect(last.totals).toMatchObject({ USD: { sales: '-20.00', commissions: '-4.00' } });
  });

  test('stop a payment while a charge is disputed, and take it back when the dispute is lost', async () => {
    const desk = await deskOfAnn(db);
    const dispute = (type: string, status: string, at: number) =>
      event(
        `charge.dispute.${type}`,
        { id: 'dp_1', charge: 'ch_1', amount: 5000, currency: 'usd', status, created: seconds(day(at)) },
        day(at),
      );
    const opened = await land(desk, [customer, charge('ch_1'), dispute('created', 'needs_response', 1)]);
    expect(opened.counts).toMatchObject({ recorded: 3, parked: 0 });
    const status = async () =>
      (
        await db.sql
          .selectFrom('conversion')
          .select('sales_status')
          .where('account_id', '=', desk.world.accountId)
          .execute()
      )[0]!.sales_status;
    expect(await status()).toBe('complete');
    const lost = await land(desk, [dispute('closed', 'lost', 2)]);
    expect(lost.totals).toMatchObject({ USD: { sales: '-50.00', commissions: '-10.00' } });
    expect(await status()).toBe('refunded');
    expect(await audited(desk.world)).toEqual([]);
  });
});

test('a log of Stripe’s is refused by a source of another kind, and a list of events is told how to become one', async () => {
  const desk = await deskOfAnn(db, { sources: [{ ref: 'log', kind: 'affonso_events' }] });
  await expect(desk.land('events', customer, { source: 'log' })).rejects.toMatchObject({
    code: 'file-refused',
    message: expect.stringContaining('"log"'),
  });
  for (const indent of [0, 2])
    await expect(
      desk.land('events', JSON.stringify({ object: 'list', data: [JSON.parse(customer)] }, null, indent)),
    ).rejects.toMatchObject({ code: 'file-refused', todo: expect.stringContaining('.data[]') });
});

test('the inbox takes logs of both kinds, each by the source of its folder', async () => {
  const desk = await deskOfAnn(db, {
    sources: [
      { ref: 'log', kind: 'affonso_events' },
      { ref: 'stripe', kind: 'stripe_events', id_prefix: 's:' },
    ],
  });
  const lead = {
    event_name: 'signup',
    event_type: 'lead',
    customer_id: 'c-1',
    metadata: { affiliate_id: 'ann' },
  };
  for (const [name, lines] of [
    ['log/a.ndjson', [JSON.stringify(lead)]],
    ['stripe/b.ndjson', [customer, charge('ch_1')]],
  ] as const) {
    const file = path.join(desk.workspace, 'inbox', name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `${lines.join('\n')}\n`);
  }
  expect(await importInbox(desk.work(), 'events')).toMatchObject({ counts: { files: 2, refused: 0 } });
  expect([...(await booked(desk.world)).keys()]).toEqual(['s:ch_1']);
  expect(await referrals(desk.world)).toHaveLength(2);
});
