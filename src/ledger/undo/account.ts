import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { members } from '../family.ts';

/** Where the commissions of sales are, reversals included; minor units of `currency`. */
interface Whereabouts {
  currency: string;
  /** In no payout, and not declined. */
  unpaid: bigint;
  in_draft: bigint;
  /** In payouts that are approved or exported. */
  in_payout: bigint;
  paid: bigint;
}

export interface Holding extends Whereabouts {
  affiliate: string;
}

export interface Sums extends Whereabouts {
  /** What was sold, and what was refunded, in that currency. */
  sales: bigint;
  refunds: bigint;
}

const places = ['unpaid', 'in_draft', 'in_payout', 'paid'] as const;

/** What each affiliate has of the sales in `taken`, the largest sums first. */
export async function readHoldings(session: Session, accountId: number): Promise<Holding[]> {
  const rows = await sql<Holding>`/* ledger.undo.holdings */
    with located as (
      select m.affiliate_id, m.currency, m.amount, case when p.id is null then case when m.status <> 'declined' then 'unpaid' end
        when p.status in ('draft', 'paid') then p.status else 'payout' end as place
      from (${members(accountId, sql`taken`)}) m
      left join payout p on p.account_id = ${accountId} and p.id = m.payout_id
    )
    select a.ref as affiliate, held.currency, held.unpaid, held.in_draft, held.in_payout, held.paid
    from (
      select affiliate_id, currency, coalesce(sum(amount) filter (where place = 'unpaid'), 0)::bigint as unpaid,
        coalesce(sum(amount) filter (where place = 'draft'), 0)::bigint as in_draft,
        coalesce(sum(amount) filter (where place = 'payout'), 0)::bigint as in_payout,
        coalesce(sum(amount) filter (where place = 'paid'), 0)::bigint as paid
      from located group by affiliate_id, currency
    ) held join affiliate a on a.account_id = ${accountId} and a.id = held.affiliate_id
    order by held.unpaid + held.in_draft + held.in_payout + held.paid desc, a.ref collate "C", held.currency`.execute(
    session.sql,
  );
  return rows.rows;
}

/** The sales in `taken`, the refunds that the import brought, and what the affiliates have of it, by currency. */
export async function readSums(
  session: Session,
  accountId: number,
  importId: string,
  holdings: Holding[],
): Promise<Sums[]> {
  const rows = await sql<{ currency: string; sales: bigint; refunds: bigint }>`/* ledger.undo.sums */
    with sold as (
      select c.currency, sum(c.amount) as sales
      from taken join conversion c on c.account_id = ${accountId} and c.id = taken.id group by c.currency
    ),
    refunded as (
      select currency, sum(amount) as refunds from refund
      where account_id = ${accountId} and import_id = ${importId}::uuid and taken_back is null and not accepted group by currency
    )
    select currency, coalesce(sales, 0)::bigint as sales, coalesce(refunds, 0)::bigint as refunds
    from sold full join refunded using (currency)`.execute(session.sql);
  const nowhere = { unpaid: 0n, in_draft: 0n, in_payout: 0n, paid: 0n };
  const sums = new Map<string, Sums>(rows.rows.map((row) => [row.currency, { ...row, ...nowhere }]));
  for (const held of holdings) {
    const sum = sums.get(held.currency) ?? { currency: held.currency, sales: 0n, refunds: 0n, ...nowhere };
    for (const place of places) sum[place] += held[place];
    sums.set(held.currency, sum);
  }
  return [...sums.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1));
}
