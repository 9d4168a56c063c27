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
  const limited = program.hasDurations
    ? limitedMatches(accountId, program)
    : sql`select null::integer as n, null::text as terms, null::bigint as place where false`;
  const steps = sql`
    combination as materialized (
      select distinct terms, product_ids, price_ids, interval, is_subscription from stage where terms is not null
    ),
    candidate as materialized (
      select c.terms, i.id as incentive_id, i.rate_ppm, i.fixed_amount, i.hold_days, i.duration_months, i.duration_payments,
        i.duration_months is not null or i.duration_payments is not null as limited,
        row_number() over (partition by c.terms order by
          (i.product_ids is not null)::integer + (i.price_ids is not null)::integer + (i.interval is not null)::integer
            + i.subscription_only::integer desc,
          i.priority desc, i.id) as place
      from combination c
      join incentive i on i.account_id = ${accountId} and i.program_id = ${program.id}::uuid and not i.retired
        and (i.product_ids is null or i.product_ids && c.product_ids)
        and (i.price_ids is null or i.price_ids && c.price_ids)
        and (i.interval is null or i.interval = c.interval)
        and (not i.subscription_only or c.is_subscription)
    ),
    option as materialized (
      select terms, place, true as applies, incentive_id, rate_ppm, fixed_amount, hold_days from candidate
      union all
      select terms, 9223372036854775807, rule.* from combination cross join (${byDefault}) rule
    ),
    unlimited as materialized (select terms, min(place) as place from candidate where not limited group by terms),
    limited as materialized (${limited}),`;
  const join = sql`
    left join unlimited on unlimited.terms = s.terms
    left join limited on limited.n = s.n
    left join option rule on rule.terms = s.terms
      and rule.place = coalesce(least(unlimited.place, limited.place), 9223372036854775807)`;
  return { steps, join };
}

/**
 * For each new row, the best incentive with a duration that is not used up. Months count from the referral's
 * earliest known sale, on the programme's calendar, and a sale exactly that long after it earns no more; payments
 * count the referral's conversions recorded before, in order of occurred_at and external id. A sale without a
 * referral is its customer's first.
 */
function limitedMatches(accountId: number, program: ProgramTerms): RawBuilder<unknown> {
  const zone = sql`${program.timezone}::text`;
  return sql`
    select distinct on (numbered.n) numbered.n, candidate.terms, candidate.place
    from (
      select v.n, s.terms, s.occurred_at,
        case when v.referral_id is null then 0 else coalesce(earlier.payments, 0)
          + row_number() over (partition by v.referral_id order by s.occurred_at, s.external_id collate "C") - 1 end as payments,
        case when v.referral_id is null then s.occurred_at else least(earlier.earliest,
          min(s.occurred_at) over (partition by v.referral_id)) end as earliest
      from verdict v
      join stage s on s.n = v.n
      left join (
        select referral_id, count(*) as payments, min(occurred_at) as earliest from conversion
        where account_id = ${accountId} and referral_id in (select referral_id from verdict where verdict = 'new')
        group by referral_id
      ) earlier on earlier.referral_id = v.referral_id
      where v.verdict = 'new'
    ) numbered
    join candidate on candidate.terms = numbered.terms and candidate.limited
      and (candidate.duration_payments is null or numbered.payments < candidate.duration_payments)
      and (candidate.duration_months is null or numbered.occurred_at <
        (numbered.earliest at time zone ${zone} + candidate.duration_months * interval '1 month') at time zone ${zone})
    order by numbered.n, candidate.place`;
}
