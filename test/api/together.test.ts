import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { RequestDoor } from '../../src/imports/requests.ts';
import { takeTurn } from '../../src/imports/turn.ts';
import { header } from '../imports/ann.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { waitsForLock } from '../support/locks.ts';
import { type Served, serveDesk } from './serving.ts';

const { db } = await testDatabase();

const sale = (n: number) => `S-${n},ann,${10 + (n % 7)}.00,USD,2026-01-10T10:00:00Z`;

/** Sends sale `n` of the file as a request, which says cents. */
function send(desk: Served, key: string, n: number) {
  return desk.send('POST', '/api/v1/conversions', {
    key,
    body: { affiliate_id: 'ann', amount_cents: (10 + (n % 7)) * 100, external_id: `S-${n}` },
  });
}

async function sums(desk: Served) {
  const { rows } = await sql<{ sales: number; commissions: number; earned: bigint; ids: number }>`
    select count(*)::integer as sales, count(m.id)::integer as commissions, coalesce(sum(m.amount), 0)::bigint as earned,
      count(distinct c.external_id)::integer as ids
    from conversion c left join commission m on m.account_id = c.account_id and m.id = c.id
    where c.account_id = ${desk.world.accountId}`.execute(db.sql);
  return rows[0]!;
}

test('requests and files that bring the same sales at the same moment record each once, at the same commission', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  const numbers = Array.from({ length: 30 }, (_, n) => n);
  const file = (some: number[]) => `${header}\n${some.map(sale).join('\n')}\n`;
  const [answers] = await Promise.all([
    Promise.all(numbers.map((n) => send(desk, key, n))),
    desk.land('sales', file(numbers)),
    desk.land('sales', file(numbers.toReversed())),
  ]);
  expect(answers.every(({ status }) => status === 201 || status === 409)).toBe(true);
  const earned = numbers.reduce((sum, n) => sum + (10 + (n % 7)) * 20, 0);
  expect(await sums(desk)).toEqual({ sales: 30, commissions: 30, ids: 30, earned: BigInt(earned) });
  expect(await audited(desk.world)).toEqual([]);
});

test('a request does not wait for an import that has nothing to do with it', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  await db.transaction(async (session) => {
    await takeTurn(session, desk.work());
    expect((await send(desk, key, 1)).status).toBe(201);
  });
});

test('a request whose sale an import is recording waits for it alone; the others go on', async () => {
  const desk = await serveDesk(db);
  await desk.world.affiliate({ ref: 'ann' });
  const key = await desk.key('affilut');
  const id = await db.transaction(async ({ client }) => {
    // As an import does that has not come to its end.
    const row = await client.query<{ id: string }>(
      `insert into conversion (account_id, id, program_id, external_id, affiliate_id, amount, occurred_at, fingerprint, import_id,
         line, occurred_at_given, currency, sales_status, no_commission_reason)
       select $1, gen_random_uuid(), $2, 'S-1', a.id, 100, now(), '', gen_random_uuid(), 1, true, 'USD', 'complete', 'a test'
       from affiliate a where a.account_id = $1 returning id`,
      [desk.world.accountId, desk.world.programId],
    );
    const waiting = send(desk, key, 1);
    const others = await Promise.all([2, 3, 4].map((n) => send(desk, key, n)));
    expect(others.map(({ status }) => status)).toEqual([201, 201, 201]);
    await waitsForLock(db, waiting);
    return { id: row.rows[0]!.id, waiting };
  });
  expect((await id.waiting).status).toBe(409);
});

test('a rule of three payments counts right when requests and a file bring sales of the same customers at once', async () => {
  const incentives = [{ ref: 'first', percent: '30', duration: { payments: 3 } }];
  const desk = await serveDesk(db, { program: { commission: { percent: '10' }, incentives } });
  await desk.world.affiliate({ ref: 'ann' });
  await desk.land('referrals', 'affiliate,customer_id\nann,c-1\nann,c-2\n');
  const { context } = desk.work();
  const program = desk.world.programId;
  const requester = { accountId: desk.world.accountId, sourceId: null, name: 'api' };
  const door = new RequestDoor(context.db, context.clock);
  const staged = (n: number) => ({
    n: 1,
    line: 1,
    externalId: `R-${n}`,
    customerId: `c-${1 + (n % 2)}`,
    amount: 1_000n,
    currency: 'USD',
    occurredAt: `2026-01-${10 + n}T10:00:00Z`,
    occurredAtGiven: true,
    salesStatus: 'complete' as const,
  });
  const rows = Array.from(
    { length: 8 },
    (_, n) => `F-${n},,10.00,USD,2026-02-${10 + n}T10:00:00Z,c-${1 + (n % 2)}`,
  );
  await Promise.all([
    ...Array.from({ length: 8 }, (_, n) => door.sale(requester, program, staged(n))),
    desk.land('sales', `${header},customer_id\n${rows.join('\n')}\n`),
  ]);
  const { rows: found } = await sql<{ customer_id: string; three: number; rest: number }>`
    select c.customer_id, (count(*) filter (where m.rate_ppm = 300000))::integer as three,
      (count(*) filter (where m.rate_ppm = 100000))::integer as rest
    from conversion c join commission m on m.account_id = c.account_id and m.id = c.id
    where c.account_id = ${desk.world.accountId} group by 1 order by 1`.execute(db.sql);
  expect(found).toEqual([
    { customer_id: 'c-1', three: 3, rest: 5 },
    { customer_id: 'c-2', three: 3, rest: 5 },
  ]);
  expect(await audited(desk.world)).toEqual([]);
});

test('a request counts the payments of a customer after those that another transaction is recording', async () => {
  const incentives = [{ ref: 'first', percent: '30', duration: { payments: 3 } }];
  const desk = await serveDesk(db, { program: { commission: { percent: '10' }, incentives } });
  const { accountId, programId } = desk.world;
  await desk.world.affiliate({ ref: 'ann' });
  await desk.land('referrals', 'affiliate,customer_id\nann,c-1\n');
  const door = new RequestDoor(db, desk.work().context.clock);
  const { asked } = await db.transaction(async ({ client }) => {
    await client.query('select from referral where account_id = $1 for no key update', [accountId]);
    await client.query(
      `insert into conversion (account_id, id, program_id, external_id, affiliate_id, referral_id, amount, occurred_at, fingerprint,
         import_id, line, occurred_at_given, currency, sales_status, no_commission_reason)
       select $1, gen_random_uuid(), $2, 'F-' || n, r.affiliate_id, r.id, 100, '2026-01-01', '', gen_random_uuid(), n, true, 'USD',
         'complete', 'a test'
       from referral r cross join generate_series(1, 3) n where r.account_id = $1`,
      [accountId, programId],
    );
    const asked = door.sale({ accountId, sourceId: null, name: 'api' }, programId, {
      n: 1,
      line: 1,
      externalId: 'R-1',
      customerId: 'c-1',
      amount: 1_000n,
      currency: 'USD',
      occurredAt: '2026-01-10T10:00:00Z',
      occurredAtGiven: true,
      salesStatus: 'complete',
    });
    await waitsForLock(db, asked);
    return { asked };
  });
  const { verdict } = await asked;
  const { rows } = await sql<{ rate_ppm: number }>`
    select rate_ppm from commission where account_id = ${accountId}`.execute(db.sql);
  expect([verdict, rows]).toEqual(['recorded', [{ rate_ppm: 100_000 }]]);
});
