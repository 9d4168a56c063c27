import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../journal.ts';
import type { Batch } from './batch.ts';
import { fingerprint } from './fingerprint.ts';
import { chosenRule } from './rule.ts';

/** Where `post` finds the rows to write: a join to staged row `s` with terms `t`, and its columns. */
export interface Rows {
  join: RawBuilder<unknown>;
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

/**
 * Writes the conversion, its commission under the same id, and their sums into the tally that is posted to the
 * journal when the import ends. One statement, so that neither can be without the other. To be run in the programme's
 * zone (`set timezone`), where adding days to an instant keeps the local time of day. Returns how many conversions it
 * wrote.
 */
export async function post(session: Session, mover: Mover, batch: Batch, rows: Rows): Promise<number> {
  const { program } = batch;
  const { accountId } = mover;
  const rule = chosenRule(accountId, program);
  const tally = await sql<{ kind: string; lines: bigint }>`/* ledger.record */
    with ${rule.steps}
    priced as (
      select s.id, s.line, s.external_id, s.amount, s.currency, s.occurred_at, s.occurred_at_given, s.sales_status,
        s.customer_id, s.email, t.product_ids, t.price_ids, t.interval, t.is_subscription, s.expense, s.note, s.metadata,
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
    ),
    sale as materialized (
      select *, ${commissionAmount(batch)} as earned, occurred_at + days * interval '1 day' as hold_until from priced
    ),
    conversions as (
      insert into conversion (account_id, id, program_id, external_id, affiliate_id, referral_id, amount, occurred_at,
        fingerprint, import_id, line, occurred_at_given, is_subscription, currency, sales_status, interval,
        customer_id, customer_email, product_ids, price_ids, expense, note, metadata, no_commission_reason)
      select ${accountId}::integer, id, ${program.id}::uuid, external_id, affiliate_id, referral_id, amount, occurred_at,
        fingerprint, ${batch.importId}::uuid, line, occurred_at_given, is_subscription, currency, sales_status, interval,
        customer_id, email, product_ids, price_ids, expense, note, metadata, no_commission_reason
      from sale
    ),
    commissions as (
      insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id,
        incentive_id, rate_ppm, hold_days, overridden, currency, status, rounding, fx_rate, fx_day, fx_source)
      select ${accountId}::integer, id, ${program.id}::uuid, affiliate_id, earned, hold_until, ${mover.now}::timestamptz,
        ${mover.runId}::uuid, incentive_id, ppm, days, overridden, ${program.currency}, 'pending', ${program.rounding},
        fx_rate, fx_day, fx_source
      from sale where no_commission_reason is null
      returning affiliate_id, amount
    )
    insert into tally (kind, affiliate_id, currency, amount, lines)
    select 'commission', affiliate_id, ${program.currency}, sum(amount), count(*) from commissions group by affiliate_id
    union all
    select 'sale', null, currency, sum(amount), count(*) from sale group by currency
    returning kind, lines`.execute(session.sql);
  return tally.rows.reduce((sum, { kind, lines }) => (kind === 'sale' ? sum + Number(lines) : sum), 0);
}

/**
 * Amount times parts per million, multiplied before divided and rounded once. A sale in another currency goes
 * through its rate of exchange in the same multiplication, in numeric, because it may not fit 64 bits.
 */
function commissionAmount(batch: Batch): RawBuilder<unknown> {
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
  const isEven = batch.program.rounding === 'half_even';
  return sql`case
    when fixed_amount is not null then fixed_amount
    when fx_minor_rate is not null then (${isEven ? exchangedHalfEven : sql`round(${exchanged})`})::bigint
    else ${isEven ? halfEven : halfUp}
  end`;
}
