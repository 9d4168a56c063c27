import { type Balances, heldAccounts } from '../ledger/balances.ts';
import { formatAmount, showAmount } from '../money.ts';
import { type Column, type Paint, table, words } from './render.ts';

/** earned = pending + awaiting + ready + in payout + paid + declined, a line a currency. */
export function describeEquation(paint: Paint, balances: Balances[]): string {
  if (balances.length === 0) return 'Nothing has been booked yet.';
  const amount = (title: string): Column => ({ title, align: 'right' });
  const rows = balances.map((row) => [
    showAmount(row.earned, row.currency),
    ...heldAccounts.map(
      (account, index) => `${index === 0 ? '=' : '+'} ${showAmount(row[account], row.currency)}`,
    ),
  ]);
  return table(paint, [amount('earned'), ...heldAccounts.map((account) => amount(words(account)))], rows);
}

/** Every balance of one currency as an exact decimal. */
export function toAmounts({ currency, ...accounts }: Balances): Record<string, string> {
  const amounts = Object.entries(accounts).map(([name, amount]) => [name, formatAmount(amount, currency)]);
  return { currency, ...Object.fromEntries(amounts) };
}
