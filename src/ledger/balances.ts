import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { LedgerAccount } from '../db/tables.ts';

/** What the journal says in one currency, in minor units. `earned` is the sum of the others if the books balance. */
export interface Balances {
  currency: string;
  earned: bigint;
  pending: bigint;
  awaiting: bigint;
  ready: bigint;
  in_payout: bigint;
  paid: bigint;
  declined: bigint;
}

/** The accounts that hold what was earned, in the order in which it passes through them. */
export const heldAccounts = ['pending', 'awaiting', 'ready', 'in_payout', 'paid', 'declined'] as const;

/** The balance of every account of the journal, by currency; of one affiliate where it is given. */
export async function readBalances(
  session: Pick<Session, 'sql'>,
  accountId: number,
  affiliateId?: string,
): Promise<Balances[]> {
  const mine = affiliateId === undefined ? sql`` : sql`and affiliate_id = ${affiliateId}::uuid`;
  const rows = await sql<{ currency: string; account: LedgerAccount; amount: bigint }>`/* ledger.balances */
    select currency, account, sum(amount)::bigint as amount
    from (
      select currency, to_account as account, amount from posting where account_id = ${accountId} ${mine}
      union all
      select currency, from_account, -amount from posting where account_id = ${accountId} ${mine}
    ) sides
    group by currency, account order by currency`.execute(session.sql);
  const currencies = [...new Set(rows.rows.map((row) => row.currency))];
  return currencies.map((currency) => {
    const of = (account: LedgerAccount) =>
      rows.rows.find((row) => row.currency === currency && row.account === account)?.amount ?? 0n;
    // The contra side: what the other accounts were given, this one has given.
    const balances: Balances = {
      currency,
      earned: -of('earned'),
      pending: of('pending'),
      awaiting: of('awaiting'),
      ready: of('ready'),
      in_payout: of('in_payout'),
      paid: of('paid'),
      declined: of('declined'),
    };
    return balances;
  });
}
