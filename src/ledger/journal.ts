import { type RawBuilder, sql } from 'kysely';
import type { LedgerAccount, Movement } from '../db/tables.ts';
import { newIdPrefix } from '../ids.ts';

/** Who moves money, and when: stored with every change and every posting. */
export interface Mover {
  accountId: number;
  runId: string;
  /** When the change is made, from the clock. */
  now: Date;
}

/**
 * The body of a CTE that posts to the journal what an earlier CTE moved, one posting an affiliate and currency.
 * `moved` names that CTE, or a subquery with alias; it has columns affiliate_id, currency and amount (minor units,
 * signed). The posting takes the sum from account `from` and gives it to account `to`. `lines` counts the
 * commissions, where a row of `moved` is not one.
 */
export function postings(
  moved: RawBuilder<unknown>,
  mover: Mover,
  posting: { movement: Movement; from: LedgerAccount; to: LedgerAccount },
  lines: RawBuilder<unknown> = sql`count(*)`,
): RawBuilder<unknown> {
  return sql`
    insert into posting (account_id, id, run_id, affiliate_id, currency, movement, from_account, to_account, amount, lines, posted_at)
    select ${mover.accountId}::integer, (${newIdPrefix(mover.now)} || lpad(to_hex(row_number() over ()), 10, '0'))::uuid,
      ${mover.runId}::uuid, affiliate_id, currency, ${posting.movement}, ${posting.from}, ${posting.to},
      sum(amount)::bigint, (${lines})::integer, ${mover.now}::timestamptz
    from ${moved}
    group by affiliate_id, currency`;
}
