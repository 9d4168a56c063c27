import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../journal.ts';
import type { ClaimPlan } from './decide.ts';

/**
 * Whether a refund or a dispute of a claimed commission was booked while the claim waited for it, and which the claim
 * did not see: a reversal that is ready as well would be left out of the payout, a disputed commission would be in it.
 */
export async function isTorn(
  session: Session,
  { accountId }: Mover,
  plan: ClaimPlan,
  batches: { batchId: string }[],
): Promise<boolean> {
  const claimed = sql`select p.id from payout p
    where p.account_id = ${accountId} and p.id = o.payout_id and p.batch_id = any(${batches.map((one) => one.batchId)}::uuid[])`;
  // The limits keep the planner to one look-up a row; there are few.
  const original = (id: string) => sql`(
    select payout_id from commission where account_id = ${accountId} and id = ${sql.raw(id)} limit 1) o`;
  const torn = await sql`/* ledger.claim.torn */
    select from commission r cross join lateral ${original('r.reverses')}
    where r.account_id = ${accountId} and r.reverses is not null and r.status = 'ready_for_payment' and r.payout_id is null
      and r.program_id = ${plan.program.id}::uuid and r.hold_until < ${plan.periodEnd}::timestamptz and exists (${claimed})
    union all
    select from dispute d cross join lateral ${original('d.conversion_id')}
    where d.account_id = ${accountId} and d.status = 'open' and exists (${claimed})
    limit 1`.execute(session.sql);
  return torn.rows.length > 0;
}
