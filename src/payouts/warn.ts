import { sql } from 'kysely';
import type { Sql } from '../db/connect.ts';
import type { PayoutMethod } from '../db/tables.ts';
import type { Claim } from '../ledger/claim.ts';
import { onlyCurrencyOf } from '../ledger/rails.ts';
import { showAmount, showCount } from '../money.ts';
import { hasFile } from './formats/formats.ts';

/** How many affiliates, and what is theirs in minor units of one currency. */
interface Sum {
  method: PayoutMethod;
  currency: string;
  affiliates: number;
  amount: bigint;
}

/** What a person should know of a preparation before it is approved: methods that no file exists for, or that don't carry a currency. */
export function warningsOf({ batches, leftOut }: Pick<Claim, 'batches' | 'leftOut'>): string[] {
  const byHand = batches.filter(({ method }) => !hasFile(method)).map((sum) => noFile(sum.method, sum));
  const uncarried = leftOut.flatMap(({ method, ...sum }) =>
    method !== undefined ? [notCarried({ method, ...sum })] : [],
  );
  return [...byHand, ...uncarried];
}

/** The same of all that is ready, and of everyone who would be paid so, for a look before anything is prepared. */
export async function readPayoutWarnings(db: Sql, accountId: number): Promise<string[]> {
  const { rows } = await sql<Sum & { currency: string | null }>`/* payouts.warnings */
    select a.payout_method as method, ready.currency, count(*)::integer as affiliates,
      coalesce(sum(ready.amount), 0)::bigint as amount
    from affiliate a left join (
      select affiliate_id, currency, sum(amount) as amount from commission
      where account_id = ${accountId} and status = 'ready_for_payment' and payout_id is null
      group by affiliate_id, currency
    ) ready on ready.affiliate_id = a.id
    where a.account_id = ${accountId} and a.status in ('active', 'pending') and a.payout_method is not null
    group by a.payout_method, ready.currency order by a.payout_method, ready.currency`.execute(db);
  return rows.flatMap(({ currency, ...sum }) => {
    const only = onlyCurrencyOf(sum.method);
    const isCarried = currency === null || only === undefined || only === currency;
    if (currency !== null && !isCarried) return [notCarried({ ...sum, currency })];
    return hasFile(sum.method) ? [] : [noFile(sum.method, { ...sum, currency })];
  });
}

function noFile(method: string, sum: Omit<Sum, 'method' | 'currency'> & { currency: string | null }): string {
  const money = sum.currency === null ? 'nothing ready' : showAmount(sum.amount, sum.currency);
  return `the method ${method} has no payout file format yet: ${people(sum)}, ${money}; a batch is exported as a report, to be paid by hand`;
}

function notCarried({ method, currency, affiliates, amount }: Sum): string {
  const money = showAmount(amount, currency);
  return `the method ${method} carries ${onlyCurrencyOf(method)} only: ${people({ affiliates })} with ${money} ${affiliates === 1 ? 'is' : 'are'} left out until paid another way`;
}

function people({ affiliates }: { affiliates: number }): string {
  return `${showCount(affiliates)} ${affiliates === 1 ? 'affiliate' : 'affiliates'}`;
}
