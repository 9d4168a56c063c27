import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Verdicts } from '../../ledger/record/verdicts.ts';
import { formatAmount, parseAmount } from '../../money.ts';
import type { RequestDay } from './day.ts';

/** What a transaction of requests brought to its day; sums are minor units by currency. */
export interface Brought {
  counts: Omit<Verdicts, 'otherAffiliate'>;
  sales: Map<string, bigint>;
  commissions: Map<string, bigint>;
}

/**
 * Adds what requests brought to the import of their day: rows, how they ended, and money. It comes last in the
 * transaction, as it holds the day's row until the commit.
 */
export async function countUp(
  session: Session,
  { mover: { accountId, now }, importId }: RequestDay,
  { counts, sales, commissions }: Brought,
): Promise<void> {
  const ended = Object.entries(counts).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  const rows = ended.reduce((sum, [, count]) => sum + count, 0);
  const held = await sql<{ counts: Record<string, number>; totals: Record<string, Record<string, string>> }>`
    /* imports.requests.day */
    select counts, totals from import where account_id = ${accountId} and id = ${importId} for update`.execute(
    session.sql,
  );
  const { counts: before, totals } = held.rows[0]!;
  for (const [name, count] of ended) before[name] = (before[name] ?? 0) + count;
  for (const [kind, sums] of [
    ['sales', sales],
    ['commissions', commissions],
  ] as const) {
    for (const [currency, amount] of sums) {
      const nothing = formatAmount(0n, currency);
      const one = totals[currency] ?? { sales: nothing, commissions: nothing };
      totals[currency] = one;
      one[kind] = formatAmount((parseAmount(one[kind]!, currency) as bigint) + amount, currency);
    }
  }
  await session.sql
    .updateTable('import')
    .set(({ eb }) => ({
      rows: eb('rows', '+', rows),
      counts: JSON.stringify(before),
      totals: JSON.stringify(totals),
      finished_at: now,
    }))
    .where('account_id', '=', accountId)
    .where('id', '=', importId)
    .execute();
}
