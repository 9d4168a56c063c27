import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../journal.ts';
import type { Batch } from './batch.ts';
import type { PricedSales } from './price.ts';

/**
 * Writes the conversion of each of `sales`, its commission under the same id, and their sums into the tally that is posted
 * to the journal once the import ends. One statement, so that none can be without the others. Returns how many
 * conversions it wrote.
 */
export async function post(
  session: Session,
  mover: Mover,
  batch: Batch,
  sales: PricedSales,
): Promise<number> {
  const { program } = batch;
  const { accountId } = mover;
  const written = await sql`/* ledger.record */
    with ${sales.steps}
    sale as ${sql.raw(sales.isStored ? 'not materialized' : 'materialized')} (${sales.query}),
    commissions as (
      insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id,
        incentive_id, rate_ppm, hold_days, overridden, currency, status, rounding, fx_rate, fx_day, fx_source)
      select ${accountId}::integer, id, ${program.id}::uuid, affiliate_id, earned, hold_until, ${mover.now}::timestamptz,
        ${mover.runId}::uuid, incentive_id, ppm, days, overridden, ${program.currency}, 'pending', ${program.rounding},
        fx_rate, fx_day, fx_source
      from sale where no_commission_reason is null
    ),
    tallied as (insert into tally (kind, affiliate_id, currency, amount, lines) ${sales.sums})
    insert into conversion (account_id, id, program_id, external_id, affiliate_id, referral_id, amount, occurred_at,
      fingerprint, import_id, line, occurred_at_given, is_subscription, currency, sales_status, interval,
      customer_id, customer_email, product_ids, price_ids, expense, note, metadata, no_commission_reason)
    select ${accountId}::integer, id, ${program.id}::uuid, external_id, affiliate_id, referral_id, amount, occurred_at,
      fingerprint, ${batch.importId}::uuid, line, occurred_at_given, is_subscription, currency, sales_status, interval,
      customer_id, email, product_ids, price_ids, expense, note, metadata, no_commission_reason
    from sale`.execute(session.sql);
  return Number(written.numAffectedRows);
}
