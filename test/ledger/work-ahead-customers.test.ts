import { describe, expect, test } from 'vitest';
import type { Kind } from '../../src/imports/import.ts';
import { audited, booked, referrals } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { waitsForLock } from '../support/locks.ts';
import { deskWithTwo, earned } from './selling.ts';

const { db } = await testDatabase();

const customers = 300;
const program = { incentives: [{ ref: 'pro', percent: '30', product_ids: ['p-1'] }] };

function sold(n: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event_type: 'conversion',
    event_name: 'paid',
    customer_id: `c-${n % customers}`,
    external_event_id: `s-${n * 7919}`,
    occurred_at: `2026-01-${String((n % 28) + 1).padStart(2, '0')}T10:00:00Z`,
    sale_amount: n + 0.25,
    sale_amount_currency: 'USD',
    product_ids: [`p-${n % 3}`],
    is_subscription: n % customers < 100,
    ...more,
  };
}
const sales = Array.from({ length: 12_000 }, (_, n) => sold(n));
const logOf = (events: Record<string, unknown>[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

/** A desk that knows every customer: a third of them are Bob's. */
async function deskWithCustomers(): Promise<Desk> {
  const desk = await deskWithTwo(db, { program });
  const rows = Array.from({ length: customers }, (_, n) => `c-${n},${n % 3 ? 'ann' : 'bob'},lead`);
  await desk.land('referrals', `customer_id,affiliate,status\n${rows.join('\n')}\n`);
  return desk;
}

/** Lands a file of which sales are priced by a connection of their own; fails when none are. */
async function landAhead(desk: Desk, kind: Kind, content: string) {
  const { landing } = await db.transaction(async ({ client }) => {
    await client.query('lock table priced_sale in share row exclusive mode');
    const landing = desk.land(kind, content);
    landing.catch(() => {});
    await waitsForLock(db, landing);
    return { landing };
  });
  return landing;
}

/** Who has which sale, and what has become of each customer. */
async function credited(desk: Desk) {
  const known = await referrals(desk.world);
  const { accountId } = desk.world;
  const ids = db.sql.selectFrom('referral').select(['id', 'customer_id']).where('account_id', '=', accountId);
  const nameOf = new Map((await ids.execute()).map(({ id, customer_id }) => [id, customer_id]));
  const of = [...(await booked(desk.world)).values()].map((sale) => [
    sale.external_id,
    sale.affiliate,
    nameOf.get(sale.referral_id!),
  ]);
  const moved = known.map(({ customer_id, status, converted_at }) => ({ customer_id, status, converted_at }));
  return { of, moved: moved.sort((a, b) => (a.customer_id! < b.customer_id! ? -1 : 1)) };
}

/** A desk with the new sales of one file, which come to the same as in files of one batch each at another desk. */
async function landBothWays<T>(kind: Kind, contentOf: (some: T[]) => string, all: T[]): Promise<Desk> {
  const together = await deskWithCustomers();
  const { counts } = await landAhead(together, kind, contentOf(all));
  expect(counts).toMatchObject({ rows: all.length, recorded: all.length });
  const apart = await deskWithCustomers();
  for (let at = 0; at < all.length; at += 4_000) await apart.land(kind, contentOf(all.slice(at, at + 4_000)));
  await db.session(({ client }) => client.query('analyze conversion, commission'));
  expect(await earned(together)).toEqual(await earned(apart));
  expect(await credited(together)).toEqual(await credited(apart));
  return together;
}

/** How many customers have which status. */
async function statuses(desk: Desk): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const { status } of await referrals(desk.world)) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

describe('a log of several batches, whose customers are known', () => {
  test('gives what the same lines give in logs of one batch each', async () => {
    const together = await landBothWays('events', logOf, sales);
    expect(await statuses(together)).toEqual({ active: 100, customer: 200 });
    expect(await audited(together.world)).toEqual([]);
  });

  test('is credited the same among so many referrals that each customer is looked up alone', async () => {
    const few = await deskWithCustomers();
    await landAhead(few, 'events', logOf(sales));
    const many = await deskWithCustomers();
    const { accountId } = many.world;
    await db.session(async ({ client }) => {
      await client.query('alter table referral set (fillfactor = 10)');
      await client.query(
        `insert into referral (account_id, id, program_id, affiliate_id, customer_id, status, created_at)
        select account_id, gen_random_uuid(), program_id, affiliate_id, 'other-' || n, 'lead', created_at
        from generate_series(1, 40000) n, (select * from referral where account_id = $1 limit 1) one`,
        [accountId],
      );
      const size = await client.query("select pg_relation_size('referral') / 8192 * 2 as many");
      expect(Number(size.rows[0].many)).toBeGreaterThan(sales.length);
    });
    await landAhead(many, 'events', logOf(sales));
    const known = ({ of, moved }: Awaited<ReturnType<typeof credited>>) => ({
      of,
      moved: moved.filter(({ customer_id }) => customer_id!.startsWith('c-')),
    });
    expect(known(await credited(many))).toEqual(known(await credited(few)));
    expect(await earned(many)).toEqual(await earned(few));
  });

  test('records no sale whose id a lead of the same log has, and makes nobody a customer by it', async () => {
    const desk = await deskWithCustomers();
    const lead = {
      event_name: 'signed up',
      event_type: 'lead',
      customer_id: 'c-1',
      external_event_id: 's-0',
    };
    const others = sales.filter((sale) => sale.customer_id !== 'c-0');
    const { counts } = await landAhead(desk, 'events', logOf([sold(0), ...others, lead]));
    expect(counts).toMatchObject({ recorded: others.length + 1, duplicates: 1 });
    expect((await booked(desk.world)).has('s-0')).toBe(false);
    const leads = (await referrals(desk.world)).filter(({ status }) => status === 'lead');
    expect(leads.map(({ customer_id }) => customer_id)).toEqual(['c-0']);
  });

  test('parks the sale of a stranger, and records those beside it', async () => {
    const desk = await deskWithCustomers();
    const stranger = sold(12_000, { customer_id: 'nobody' });
    const { counts } = await desk.land('events', logOf([...sales, stranger]));
    expect(counts).toMatchObject({ recorded: sales.length, parked: 1 });
  });

  test('credits whom the log itself says, where a better identifier names somebody else than a known one', async () => {
    const desk = await deskWithCustomers();
    const lead = {
      event_name: 'signed up',
      event_type: 'lead',
      referral_id: 'r-new',
      metadata: { affiliate_id: 'bob' },
    };
    const [first, ...others] = sales.map((sale, n) =>
      n === 1 || n === 11_999 ? { ...sale, referral_id: 'r-new' } : sale,
    );
    const { counts } = await desk.land('events', logOf([first!, ...others, lead]));
    expect(counts).toMatchObject({ recorded: sales.length + 1 });
    const sale = (n: number) => booked(desk.world).then((all) => all.get(`s-${n * 7919}`)!.affiliate);
    expect([await sale(1), await sale(11_999), await sale(301)]).toEqual(['bob', 'bob', 'ann']);
  });
});

/** Rows of a CSV of the same customers’ sales; all sales of a fifth of the customers failed, and some are open still. */
const rows = sales.map((sale, n) => {
  const status = n % customers < 60 ? 'failed' : n % 7 === 0 ? 'open' : 'complete';
  const product = (sale.product_ids as string[])[0];
  return `${sale.external_event_id},${(n % customers) % 3 ? 'ann' : 'bob'},${n}.25,USD,${sale.occurred_at},${sale.customer_id},${product},${sale.is_subscription},${status}`;
});
const fileOf = (some: string[]) =>
  `external_id,affiliate,amount,currency,occurred_at,customer_id,product_ids,is_subscription,sales_status\n${some.join('\n')}\n`;

describe('a CSV of several batches, whose customers are known', () => {
  test('moves them up as the same rows in files of one batch each do, and none by a sale that failed', async () => {
    const together = await landBothWays('sales', fileOf, rows);
    expect(await statuses(together)).toEqual({ active: 40, customer: 200, lead: 60 });
    expect(await audited(together.world)).toEqual([]);
  });

  test('moves them up also when its last rows are of a stranger, who is recorded from the stage', async () => {
    const desk = await deskWithCustomers();
    const stranger = 's-x,ann,10.00,USD,2026-01-02T10:00:00Z,nobody,p-1,true,complete';
    const { counts } = await desk.land('sales', fileOf([...rows, stranger]));
    expect(counts).toMatchObject({ recorded: rows.length + 1 });
    expect(await statuses(desk)).toEqual({ active: 41, customer: 200, lead: 60 });
  });

  test('moves them up by the sales themselves when the second connection is lost as it adds up what they bought', async () => {
    const desk = await deskWithCustomers();
    const { landing } = await db.transaction(async ({ client }) => {
      await client.query('lock table priced_customer in share row exclusive mode');
      const landing = desk.land('sales', fileOf(rows));
      landing.catch(() => {});
      await waitsForLock(db, landing);
      const ended = await client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(ended.rowCount).toBe(1);
      return { landing };
    });
    expect((await landing).counts).toMatchObject({ recorded: rows.length });
    expect(await statuses(desk)).toEqual({ active: 40, customer: 200, lead: 60 });
  });
});
