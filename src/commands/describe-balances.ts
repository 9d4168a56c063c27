import { type Balances, heldAccounts } from '../ledger/balances.ts';
import { formatAmount, showAmount } from '../money.ts';
import { type Column, type Paint, table, words } from './render.ts';

/** earned = pending + awaiting + ready + in payout + paid + declined, a line a currency. */
export function describeEquation(paint: Paint, balances: Balances[]): string {
  if (balances.length === 0) return 'Nothing has been booked yet.';
  const amount = (title: string): Column => ({ title, align: 'right' });
  const held = heldAccounts.flatMap((account, index) => [{ title: signOf(index) }, amount(words(account))]);
  const rows = balances.map((row) => [
    showAmount(row.earned, row.currency),
    ...heldAccounts.flatMap((account, index) => [signOf(index), showAmount(row[account], row.currency)]),
  ]);
  return table(paint, [amount('earned'), ...held], rows);
}

/** Every balance of one currency as an exact decimal. */
export function toAmounts({ currency, ...accounts }: Balances): Record<string, string> {
  const amounts = Object.entries(accounts).map(([name, amount]) => [name, formatAmount(amount, currency)]);
  return { currency, ...Object.fromEntries(amounts) };
}

function signOf(index: number): string {
  return index === 0 ? '=' : '+';
}
