import { type RawBuilder, sql } from 'kysely';
import type { ProgramRow } from '../../db/tables.ts';
import { disputed } from '../disputed.ts';
import type { Mover } from '../journal.ts';
import { isNotCarried, unitIn } from '../rails.ts';

/** What to claim: everything of the programme that fell due before the period's end. */
export interface ClaimPlan {
  program: Pick<ProgramRow, 'id' | 'currency' | 'minimum_payout' | 'payout_approval'>;
  periodStart: Date;
  periodEnd: Date;
  /** By whom, as it will be shown and compared with the approver. */
  preparedBy: string;
  /** Text from which the payouts' references are derived; a new one is asked for when a reference is taken. */
  newSalt?: () => string;
}

/**
 * A query: what each affiliate has ready in each currency (affiliate_id, currency, amount, lines), how it would be
 * paid (name, method, destination), and why it is not; `reason` is null when it is. The minimum counts in the
 * programme's own currency only, because amounts of different currencies are never compared.
 */
export function decided(mover: Mover, plan: ClaimPlan): RawBuilder<unknown> {
  return sql`
    select due.*, affiliate.name, affiliate.payout_method as method, affiliate.payout_destination as destination,
      case
        when due.amount <= 0 then 'not_positive'
        when affiliate.status <> 'active' then affiliate.status
        when affiliate.payout_method is null or coalesce(affiliate.payout_destination, '') = '' then 'no_destination'
        when ${isNotCarried(sql`affiliate.payout_method`, sql`due.currency`)} then 'currency_not_carried'
        when due.amount < ${unitIn(sql`affiliate.payout_method`, sql`due.currency`)} then 'under_one_unit'
        when due.currency = ${plan.program.currency} and due.amount < ${plan.program.minimum_payout}::bigint
          then 'under_minimum'
      end as reason
    from (
      select affiliate_id, currency, sum(amount)::bigint as amount, count(*)::integer as lines
      from commission where ${isDue(mover, plan)}
      group by affiliate_id, currency
    ) due
    join affiliate on affiliate.account_id = ${mover.accountId}::integer and affiliate.id = due.affiliate_id`;
}

/** The guard of the claim: ready, undisputed, in no payout, and due before the period's end, whatever period it comes from. */
export function isDue(mover: Mover, plan: ClaimPlan): RawBuilder<unknown> {
  return sql`commission.account_id = ${mover.accountId}::integer and commission.status = 'ready_for_payment'
    and commission.payout_id is null and commission.program_id = ${plan.program.id}::uuid
    and commission.hold_until < ${plan.periodEnd}::timestamptz
    and coalesce(commission.reverses, commission.id) <> all (${disputed(mover.accountId)})`;
}
