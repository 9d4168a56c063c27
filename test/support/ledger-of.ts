import { sql } from 'kysely';
import { audited } from './books.ts';
import { readMany } from './read-many.ts';
import type { World } from './world.ts';

/**
 * The whole ledger of one account, without what tells only how it came there (ids, lines, moments of writing): what
 * was sold and earned, what was refunded, what waits, the customers, the balance of every account of the journal, and
 * what the audit finds. Reversals stand as one sum a sale, for the order of its refunds decides which of them has
 * the cent that rounding leaves over. As text, to be compared.
 */
export async function ledgerOf(world: World): Promise<string[]> {
  const parts = await Promise.all(
    queries(world.accountId).map(async ([name, query]) => {
      const rows = await readMany(world.db, query);
      return rows.map((row) => `${name} ${text(row)}`).sort();
    }),
  );
  return [...parts.flat(), ...(await audited(world))];
}

function queries(account: number): [name: string, query: ReturnType<typeof sql<unknown>>][] {
  return [
    [
      'sale',
      sql`
      select c.external_id, a.ref as affiliate, r.customer_id, r.email, c.amount, c.currency, c.occurred_at, c.sales_status,
        c.product_ids, c.price_ids, c.no_commission_reason, m.amount as commission, m.currency as commission_currency, m.status,
        m.rate_ppm, i.ref as incentive, m.hold_days, m.hold_until, m.overridden, m.reason, m.fx_rate,
        t.taken_back, t.reversals
      from conversion c
      join affiliate a on a.account_id = c.account_id and a.id = c.affiliate_id
      left join referral r on r.account_id = c.account_id and r.id = c.referral_id
      left join commission m on m.account_id = c.account_id and m.id = c.id
      left join incentive i on i.account_id = m.account_id and i.id = m.incentive_id
      left join (
        select reverses, sum(amount) as taken_back, string_agg(distinct status, ' ') as reversals
        from commission where account_id = ${account} and reverses is not null group by reverses
      ) t on t.reverses = c.id
      where c.account_id = ${account}`,
    ],
    [
      'refund',
      sql`
      select f.external_id, c.external_id as sale, f.amount, f.currency, f.occurred_at, f.taken_back
      from refund f join conversion c on c.account_id = f.account_id and c.id = f.conversion_id
      where f.account_id = ${account}`,
    ],
    [
      'waiting',
      sql`select external_id, sale_external_id, amount from parked_refund where account_id = ${account}`,
    ],
    ['waiting event', sql`select external_event_id from parked_event where account_id = ${account}`],
    ['conflict', sql`select external_id, difference from conflict where account_id = ${account}`],
    [
      'event',
      sql`select external_event_id, event_type, occurred_at from event where account_id = ${account}`,
    ],
    [
      'customer',
      sql`
      select r.customer_id, r.external_user_id, r.click_id, r.email, r.status, r.converted_at, a.ref as affiliate
      from referral r join affiliate a on a.account_id = r.account_id and a.id = r.affiliate_id
      where r.account_id = ${account}`,
    ],
    [
      'journal',
      sql`
      select a.ref as affiliate, j.currency, j.name, sum(j.amount) as balance
      from posting s
      join affiliate a on a.account_id = s.account_id and a.id = s.affiliate_id
      cross join lateral (values (s.from_account, s.currency, -s.amount), (s.to_account, s.currency, s.amount)) j(name, currency, amount)
      where s.account_id = ${account}
      group by 1, 2, 3 having sum(j.amount) <> 0`,
    ],
  ];
}

function text(row: unknown): string {
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}
