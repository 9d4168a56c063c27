import { type RawBuilder, sql } from 'kysely';
import type { ProgramTerms } from './batch.ts';

/** CTEs to put first, and a join to staged row `s` that gives `rule`: applies, incentive_id, rate_ppm, fixed_amount, hold_days. */
export interface Rule {
  steps: RawBuilder<unknown>;
  join: RawBuilder<unknown>;
}

/**
 * The rule by which each `new` row earns. Among the incentives whose conditions all match: most conditions first,
 * then the higher priority, then id; a rule whose duration is used up does not match. Without any, the programme's
 * default commission, whose incentive_id is null.
 */
export function chosenRule(accountId: number, program: ProgramTerms): Rule {
  const applies = program.rate_ppm !== null || program.fixed_amount !== null;
  const byDefault = sql`select ${applies}::boolean as applies, null::uuid as incentive_id, ${program.rate_ppm}::integer as rate_ppm,
    ${program.fixed_amount}::bigint as fixed_amount, null::integer as hold_days`;
  if (!program.hasIncentives) return { steps: sql``, join: sql`cross join (${byDefault}) rule` };
  const steps = sql`
    candidate as materialized (
      select t.no as terms_no, i.id as incentive_id, i.rate_ppm, i.fixed_amount, i.hold_days, i.duration_months, i.duration_payments,
        i.duration_months is not null or i.duration_payments is not null as limited,
        row_number() over (partition by t.no order by
          (i.product_ids is not null)::integer + (i.price_ids is not null)::integer + (i.interval is not null)::integer
            + i.subscription_only::integer desc,
          i.priority desc, i.id) as place
      from terms t
      join incentive i on i.account_id = ${accountId} and i.program_id = ${program.id}::uuid and not i.retired
        and (i.product_ids is null or i.product_ids && t.product_ids)
        and (i.price_ids is null or i.price_ids && t.price_ids)
        and (i.interval is null or i.interval = t.interval)
        and (not i.subscription_only or t.is_subscription)
    ),
    option as materialized (
      select terms_no, place, true as applies, incentive_id, rate_ppm, fixed_amount, hold_days from candidate
      union all
      select no, 9223372036854775807, rule.* from terms cross join (${byDefault}) rule
    ),
    best as materialized (
      select distinct on (terms_no) option.* from option left join candidate using (terms_no, place)
      where candidate.limited is not true order by terms_no, place
    ),`;
  if (!program.hasDurations) return { steps, join: sql`join best rule on rule.terms_no = s.terms_no` };
  return {
    steps: sql`${steps} limited as materialized (${limitedMatches(accountId, program)}),`,
    join: sql`
      join best on best.terms_no = s.terms_no
      left join limited on limited.n = s.n
      join option rule on rule.terms_no = s.terms_no and rule.place = least(best.place, limited.place)`,
  };
}

/**
 * For each new row, the best incentive with a duration that is not used up. Months count from the referral's
 * earliest known sale, on the programme's calendar, and a sale exactly that long after it earns no more; payments
 * count the referral's conversions recorded before, in order of occurred_at and external id, without those taken back and
 * without a sale that is staged to be priced anew. A sale without a referral is its customer's first.
 */
function limitedMatches(accountId: number, program: ProgramTerms): RawBuilder<unknown> {
  const zone = sql`${program.timezone}::text`;
  return sql`
    select distinct on (numbered.n) numbered.n, candidate.place
    from (
      select v.n, s.terms_no, s.occurred_at,
        case when v.referral_id is null then 0 else coalesce(earlier.payments, 0)
          + row_number() over (partition by v.referral_id order by s.occurred_at, s.external_id collate "C") - 1 end as payments,
        case when v.referral_id is null then s.occurred_at else least(earlier.earliest,
          min(s.occurred_at) over (partition by v.referral_id)) end as earliest
      from verdict v
      join stage s on s.n = v.n
      left join (
        select referral_id, count(*) as payments, min(occurred_at) as earliest from conversion
        where account_id = ${accountId} and referral_id in (select referral_id from verdict where verdict = 'new')
          and taken_back is null and id not in (select id from stage)
        group by referral_id
      ) earlier on earlier.referral_id = v.referral_id
      where v.verdict = 'new'
    ) numbered
    join candidate on candidate.terms_no = numbered.terms_no and candidate.limited
      and (candidate.duration_payments is null or numbered.payments < candidate.duration_payments)
      and (candidate.duration_months is null or numbered.occurred_at <
        (numbered.earliest at time zone ${zone} + candidate.duration_months * interval '1 month') at time zone ${zone})
    order by numbered.n, candidate.place`;
}
