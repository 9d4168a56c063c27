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

const whereabouts = sql`
  coalesce(sum(amount) filter (where payout is null and status <> 'declined'), 0)::bigint as unpaid,
  coalesce(sum(amount) filter (where payout = 'draft'), 0)::bigint as in_draft,
  coalesce(sum(amount) filter (where payout in ('approved', 'exported')), 0)::bigint as in_payout,
  coalesce(sum(amount) filter (where payout = 'paid'), 0)::bigint as paid`;

/** What each affiliate has of the sales in `taken`, the largest sums first. */
export async function readHoldings(session: Session, accountId: number): Promise<Holding[]> {
  const rows = await sql<Holding>`/* ledger.undo.holdings */
    select a.ref as affiliate, held.* from (
      select affiliate_id, currency, ${whereabouts} from (${located(accountId)}) located group by affiliate_id, currency
    ) held join affiliate a on a.account_id = ${accountId} and a.id = held.affiliate_id
    order by held.unpaid + held.in_draft + held.in_payout + held.paid desc, a.ref collate "C", held.currency`.execute(
    session.sql,
  );
  return rows.rows.map(({ affiliate, currency, unpaid, in_draft, in_payout, paid }) => ({
    affiliate,
    currency,
    unpaid,
    in_draft,
    in_payout,
    paid,
  }));
}

/** The sales in `taken`, the refunds that the import brought, and the commissions of the sales, by currency. */
export async function readSums(session: Session, accountId: number, importId: string): Promise<Sums[]> {
  const rows = await sql<Sums>`/* ledger.undo.sums */
    with sold as (
      select c.currency, sum(c.amount) as sales
      from taken join conversion c on c.account_id = ${accountId} and c.id = taken.id group by c.currency
    ),
    refunded as (
      select currency, sum(amount) as refunds from refund
      where account_id = ${accountId} and import_id = ${importId}::uuid and taken_back is null group by currency
    ),
    held as (select currency, ${whereabouts} from (${located(accountId)}) located group by currency)
    select currency, coalesce(sales, 0)::bigint as sales, coalesce(refunds, 0)::bigint as refunds,
      coalesce(unpaid, 0)::bigint as unpaid, coalesce(in_draft, 0)::bigint as in_draft,
      coalesce(in_payout, 0)::bigint as in_payout, coalesce(paid, 0)::bigint as paid
    from sold full join refunded using (currency) full join held using (currency)
    order by currency collate "C"`.execute(session.sql);
  return rows.rows;
}

function located(accountId: number) {
  return sql`
    select m.affiliate_id, m.currency, m.amount, m.status, p.status as payout
    from (${members(accountId, sql`taken`)}) m
    left join payout p on p.account_id = ${accountId} and p.id = m.payout_id`;
}
