import { type RawBuilder, sql } from 'kysely';

/*
 * How much of a sale is taken once a row was looked at, in the steps of a recursion over the rows `next` of one sale, in
 * their order: `step` is what the ones before have come to.
 *
 * Of `step`: by_refunds and by_disputes (what refunds, and lost disputes, take by their own account), after (what is taken
 * of the sale, which is never more than the sale), total_at (the moment of the latest total).
 * Of `next`: amount, is_total, gives_back, made_at, occurred_at, dispute_id, sale_amount; failed_meanwhile (of a total, what
 * was given back since by rows that came before) and by_dispute (of a dispute, by how much its row changes what it takes).
 */

/** Joins `counted`, what refunds and what disputes take by their own account after `next`. */
export const counted: RawBuilder<unknown> = sql`
  cross join lateral (
    select
      case
        when next.dispute_id is not null then step.by_refunds
        when next.is_total then greatest(next.amount - next.failed_meanwhile, 0)
        when not next.gives_back then step.by_refunds + next.amount
        -- Else the latest total does not know of the refund yet, or knows already that it failed.
        when step.total_at is null
          or (coalesce(next.made_at <= step.total_at, true) and next.occurred_at >= step.total_at)
          then step.by_refunds - least(next.amount, step.by_refunds)
        else step.by_refunds end as by_refunds,
      step.by_disputes + coalesce(next.by_dispute, 0) as by_disputes
  ) counted`;

/** Joins `wanted.amount`, what is taken of the sale after `next`; more than the sale only where refunds alone say so. */
export const wanted: RawBuilder<unknown> = sql`
  cross join lateral (
    select case
      when counted.by_refunds > step.by_refunds then step.after + counted.by_refunds - step.by_refunds
      when counted.by_disputes > step.by_disputes
        then least(step.after + counted.by_disputes - step.by_disputes, next.sale_amount)
      else least(step.after, counted.by_refunds + counted.by_disputes) end as amount
  ) wanted`;

/** An SQL expression: what was given back of refunds since a total was told at `at`, by rows `r` that came before it. */
export function failedMeanwhile(at: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`coalesce(sum(r.stated_amount) filter (
    where r.gives_back and r.dispute_id is null and coalesce(r.made_at <= ${at}, true) and r.occurred_at >= ${at}), 0)::bigint`;
}
