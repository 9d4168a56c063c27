import { type RawBuilder, sql } from 'kysely';
import type { Rounding } from '../../db/tables.ts';
import type { Batch } from './batch.ts';
import { fingerprint } from './fingerprint.ts';
import { chosenRule } from './rule.ts';

/** Where the rows to price are found: a join to staged row `s` with terms `t`, its condition, and its columns. */
export interface Rows {
  join: RawBuilder<unknown>;
  where?: RawBuilder<unknown>;
  affiliateId: RawBuilder<unknown>;
  referralId: RawBuilder<unknown>;
  fingerprint: RawBuilder<unknown>;
}

/** The rows that were judged to be new. */
export const newRows: Rows = {
  join: sql`join verdict v on v.n = s.n and v.verdict = 'new'`,
  affiliateId: sql`v.affiliate_id`,
  referralId: sql`v.referral_id`,
  fingerprint: sql`v.fingerprint`,
};

/** All staged rows, each of which names its affiliate. */
export const allRows: Rows = {
  join: sql`join name on name.no = s.name_no`,
  affiliateId: sql`name.affiliate_id`,
  referralId: sql`null::uuid`,
  fingerprint: fingerprint(sql`name.affiliate_id`),
};

/** Sales with all that a conversion and its commission are made of: CTEs to put first, and a query of `priceColumns`. */
export interface PricedSales {
  steps: RawBuilder<unknown>;
  query: RawBuilder<unknown>;
  /** What they come to, as rows of the tally; beside a CTE `sale` of what `query` gives. */
  sums: RawBuilder<unknown>;
  /** Whether `query` only reads a table, so that running it once for each use costs less than keeping what it gave. */
  isStored: boolean;
}

/** In the order of the table `priced_sale`, behind its key. */
const columns = [
  'id',
  'line',
  'external_id',
  'amount',
  'currency',
  'occurred_at',
  'occurred_at_given',
  'sales_status',
  'customer_id',
  'email',
  'product_ids',
  'price_ids',
  'interval',
  'is_subscription',
  'expense',
  'note',
  'metadata',
  'fx_rate',
  'fx_day',
  'fx_source',
  'affiliate_id',
  'referral_id',
  'fingerprint',
  'incentive_id',
  'ppm',
  'overridden',
  'no_commission_reason',
  'days',
  'earned',
  'hold_until',
];
export const priceColumns = sql.raw(columns.join(', '));

/**
 * Finds the rule of each of `rows` and computes its commission and the end of its hold. To be run in the programme's
 * zone (`set timezone`), where adding days to an instant keeps the local time of day.
 */
export function pricedSales(accountId: number, batch: Batch, rows: Rows): PricedSales {
  const { program } = batch;
  const rule = chosenRule(accountId, program);
  const steps = sql`${rule.steps}
    ruled as (
      select s.id, s.line, s.external_id, s.amount, s.currency, s.occurred_at, s.occurred_at_given,
        coalesce(s.sales_status, 'complete') as sales_status, s.customer_id, s.email, t.product_ids, t.price_ids, t.interval, t.is_subscription, s.expense, s.note, s.metadata,
        s.fx_rate, s.fx_minor_rate, s.fx_day, s.fx_source,
        ${rows.affiliateId} as affiliate_id, ${rows.referralId} as referral_id, ${rows.fingerprint} as fingerprint,
        coalesce(s.hold_days, rule.hold_days, ${program.hold_days}::integer) as days,
        rule.incentive_id, rule.fixed_amount,
        case when rule.fixed_amount is null then coalesce(a.override_ppm, rule.rate_ppm) end as ppm,
        rule.fixed_amount is null and a.override_ppm is not null as overridden,
        case
          when s.sales_status = 'failed' then 'the sale failed'
          when a.status = 'paused' then 'the affiliate is paused'
          when a.status = 'banned' then 'the affiliate is banned'
          when not rule.applies or rule.applies is null then 'no incentive matches and the programme has no default commission'
        end as no_commission_reason
      from stage s
      join terms t on t.no = s.terms_no
      ${rows.join}
      join affiliate a on a.account_id = ${accountId} and a.id = ${rows.affiliateId}
      ${rule.join}
      ${rows.where ?? sql``}
    ),
    priced as (
      select *, ${commissionAmount(program.rounding)} as earned, occurred_at + days * interval '1 day' as hold_until from ruled
    ),`;
  const sums = sql`with grouped as materialized (${groups()}) ${sumsOf(program.currency)}`;
  return { steps, query: sql`select ${priceColumns} from priced`, sums, isStored: false };
}

/** What a CTE `sale` gives, gone through once: by affiliate, currency and whether it earns, and `more` of each. */
export function groups(more = sql``): RawBuilder<unknown> {
  return sql`
    select affiliate_id, currency, no_commission_reason is null as earns,
      sum(amount) as amount, sum(earned) as earned, count(*) as lines ${more}
    from sale group by 1, 2, 3`;
}

/** The sums of a CTE `grouped` of these groups: sales by currency, and commissions, in `currency`, by affiliate. */
export function sumsOf(currency: string): RawBuilder<unknown> {
  return sql`
    select 'sale' as kind, null::uuid as affiliate_id, currency, sum(amount) as amount, sum(lines) as lines
    from grouped group by currency
    union all
    select 'commission', affiliate_id, ${currency}::text, sum(earned), sum(lines)
    from grouped where earns group by affiliate_id`;
}

/**
 * An SQL expression over a row of amount, ppm, fixed_amount and fx_minor_rate: amount times parts per million,
 * multiplied before divided and rounded once. A sale in another currency goes through its rate of exchange in the same
 * multiplication, in numeric, because it may not fit 64 bits.
 */
export function commissionAmount(rounding: Rounding): RawBuilder<unknown> {
  const product = sql`(amount * ppm)`;
  const halfUp = sql`(${product} + 500000) / 1000000`;
  const halfEven = sql`${product} / 1000000 + case
    when ${product} % 1000000 > 500000 then 1
    when ${product} % 1000000 = 500000 then ${product} / 1000000 % 2
    else 0 end`;
  // Times a millionth, not divided by a million: a numeric division rounds, and would do so a second time.
  const exchanged = sql`(amount * fx_minor_rate * ppm * 0.000001)`;
  const exchangedHalfEven = sql`case
    when ${exchanged} - trunc(${exchanged}) = 0.5 and trunc(${exchanged}) % 2 = 0 then trunc(${exchanged})
    else round(${exchanged}) end`;
  const isEven = rounding === 'half_even';
  return sql`case
    when fixed_amount is not null then fixed_amount
    when fx_minor_rate is not null then (${isEven ? exchangedHalfEven : sql`round(${exchanged})`})::bigint
    else ${isEven ? halfEven : halfUp}
  end`;
}
