import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';

/**
 * Gives every staged refund its verdict, in the temporary table `refund_judged`: `duplicates` (known with the same
 * facts, or nothing new in it), `conflicts` (known with other facts, or a total lower than what was refunded before),
 * `rejected` with the fault's code, `parked` (its sale is not known), `recorded` with what was refunded of the sale
 * before and after it. The sales are locked, so that what is read here stays true. Doubles in one file: the first counts.
 */
export async function judgeRefunds(session: Session, accountId: number): Promise<void> {
  await session.client.query(`
    drop table if exists pg_temp.refund_row, pg_temp.refund_candidate, pg_temp.refund_judged;
    create temp table refund_judged (n integer not null, conversion_id uuid, verdict text not null, code text,
      before bigint, after bigint, difference jsonb) on commit drop`);
  await lookUp(session, accountId);
  await lineUp(session, accountId);
  await fold(session);
  await closeDoubles(session);
}

/** Each row beside its sale and beside what is known under its id; settles those that need no look at other refunds. */
async function lookUp(session: Session, accountId: number): Promise<void> {
  // What names a refund as its sale would wait for ever: the id is taken.
  const isOfRefund = sql`our_sale is null and conversion_id is null and (
    sale_external_id in (select external_id from refund_stage) or exists (
      select from refund r where r.account_id = ${sql.lit(accountId)} and r.external_id = compared.sale_external_id))`;
  await sql`/* ledger.reverse.look_up */
    create temp table refund_row on commit drop as
    with numbered as materialized (
      select s.*, first_value(s.n) over (partition by s.external_id order by s.n) as first_n from refund_stage s
    ),
    beside as (
      select s.*, c.id as conversion_id, c.amount as sale_amount, c.currency as sale_currency,
        taken.id as taken_id, coalesce(known.id, waiting.id) as known_id, known.conversion_id as known_conversion_id,
        case when s.first_n < s.n then f.sale_external_id else coalesce(known.sale_external_id, waiting.sale_external_id) end
          as our_sale,
        case when s.first_n < s.n then f.amount else coalesce(known.stated_amount, waiting.amount) end as our_amount,
        case when s.first_n < s.n then f.is_total else coalesce(known.is_total, waiting.is_total) end as our_total,
        case when s.first_n < s.n then f.currency else coalesce(known.currency, waiting.currency) end as our_currency,
        case when s.first_n < s.n then f.occurred_at else coalesce(known.occurred_at, waiting.occurred_at) end as our_time,
        case when s.first_n < s.n then f.occurred_at_given else coalesce(known.occurred_at_given, waiting.occurred_at_given) end
          as our_time_given
      from numbered s
      left join numbered f on f.external_id = s.external_id and f.n = s.first_n and s.first_n < s.n
      left join lateral (
        select id, amount, currency from conversion
        where account_id = ${sql.lit(accountId)} and external_id = s.sale_external_id limit 1
      ) c on true
      left join lateral (
        select id from conversion where account_id = ${sql.lit(accountId)} and external_id = s.external_id limit 1
      ) taken on true
      left join lateral (
        select r.*, sale.external_id as sale_external_id from refund r
        join conversion sale on sale.account_id = ${sql.lit(accountId)} and sale.id = r.conversion_id
        where r.account_id = ${sql.lit(accountId)} and r.external_id = s.external_id limit 1
      ) known on true
      left join lateral (
        select * from parked_refund p
        where p.account_id = ${sql.lit(accountId)} and p.external_id = s.external_id and s.parked_id is null limit 1
      ) waiting on true
    ),
    compared as (
      select *, jsonb_strip_nulls(jsonb_build_object(
        'refund_of', case when our_sale <> sale_external_id then jsonb_build_object('ours', our_sale, 'theirs', sale_external_id) end,
        'amount', case when our_amount <> amount or our_total <> is_total
          then jsonb_build_object('ours', our_amount::text, 'theirs', amount::text) end,
        'currency', case when our_currency <> currency then jsonb_build_object('ours', our_currency, 'theirs', currency) end,
        'occurred_at', case when our_time <> occurred_at and our_time_given and occurred_at_given
          then jsonb_build_object('ours', our_time, 'theirs', occurred_at) end
      )) as difference
      from beside
    )
    select compared.*,
      case
        when taken_id is not null or ${isOfRefund} then 'rejected'
        when our_sale is null and conversion_id is null then 'parked'
        when our_sale is not null and difference = '{}' then 'duplicates'
        when our_sale is not null and coalesce(known_conversion_id, conversion_id) is null then 'rejected'
        when our_sale is not null then 'conflicts'
        when currency <> sale_currency or amount <= 0 then 'rejected'
      end as verdict,
      case
        when taken_id is not null then 'refund-id-of-sale'
        when ${isOfRefund} then 'refund-of-refund'
        when our_sale is not null then 'refund-differs'
        when currency <> sale_currency then 'refund-currency'
        when amount <= 0 then 'refund-zero'
      end as code
    from compared`.execute(session.sql);
}

/** The rows that a sale is refunded by, each with its place among those of the sale: by occurred_at, then external id. */
async function lineUp(session: Session, accountId: number): Promise<void> {
  await sql`/* ledger.reverse.line_up */
    create temp table refund_candidate on commit drop as
    select one.n, one.conversion_id, one.sale_amount, one.amount, one.is_total, one.dispute_id, known.refunded, known.by_refunds,
      one.occurred_at_given and one.occurred_at <= known.last_at as is_late,
      row_number() over (partition by one.conversion_id order by one.occurred_at,
        case when one.is_total then one.amount end, one.external_id collate "C") as place
    from refund_row one
    cross join lateral (
      select coalesce(sum(r.amount), 0)::bigint as refunded, coalesce(sum(r.amount) filter (where r.dispute_id is null), 0)::bigint
        as by_refunds, max(r.occurred_at) filter (where r.occurred_at_given) as last_at
      from refund r
      where r.account_id = ${sql.lit(accountId)} and r.conversion_id = one.conversion_id and r.taken_back is null
    ) known
    where one.verdict is null`.execute(session.sql);
  await session.client.query(
    'create index on refund_candidate (conversion_id, place); analyze refund_candidate',
  );
}

/**
 * One refund after the other, all sales at once: each is judged by what the ones before it have left of the sale. A
 * total is compared with what refunds alone have taken, because upstreams do not count lost disputes in it; a lost
 * dispute takes no more than is left.
 */
async function fold(session: Session): Promise<void> {
  await session.client.query(`/* ledger.reverse.fold */
    with recursive step as (
      select conversion_id, 0::bigint as place, null::integer as n, refunded as before, refunded as after, by_refunds,
        null::text as verdict, null::bigint as stated
      from refund_candidate where place = 1
      union all
      select next.conversion_id, next.place, next.n, step.after,
        case when judged.verdict = 'recorded' then wanted.amount else step.after end,
        case when judged.verdict = 'recorded' and next.dispute_id is null
          then step.by_refunds + wanted.amount - step.after else step.by_refunds end,
        judged.verdict, step.by_refunds
      from step
      join refund_candidate next on next.conversion_id = step.conversion_id and next.place = step.place + 1
      cross join lateral (
        select case
          when next.is_total then step.after + next.amount - step.by_refunds
          when next.dispute_id is not null then least(step.after + next.amount, next.sale_amount)
          else step.after + next.amount end as amount
      ) wanted
      cross join lateral (
        select case
          when wanted.amount > next.sale_amount then 'rejected'
          when wanted.amount > step.after then 'recorded'
          when wanted.amount < step.after and not coalesce(next.is_late, false) then 'conflicts'
          else 'duplicates' end as verdict
      ) judged
    )
    insert into refund_judged (n, conversion_id, verdict, code, before, after, difference)
    select n, conversion_id, verdict, case when verdict = 'rejected' then 'refund-exceeds' end, before, after,
      case when verdict = 'conflicts' then jsonb_build_object('refunded_total', jsonb_build_object('ours', stated::text,
        'theirs', (select amount::text from refund_candidate c where c.conversion_id = step.conversion_id and c.place = step.place)))
      end
    from step where place > 0`);
}

/** The rows that were settled at once. A double of a row that is rejected is rejected for the same reason. */
async function closeDoubles(session: Session): Promise<void> {
  await session.client.query(`/* ledger.reverse.doubles */
    insert into refund_judged (n, conversion_id, verdict, code, difference)
    select r.n, coalesce(r.known_conversion_id, r.conversion_id),
      case when r.first_n < r.n and r.verdict = 'duplicates' and first.verdict = 'rejected' then 'rejected' else r.verdict end,
      case when r.first_n < r.n and r.verdict = 'duplicates' then first.code else r.code end, r.difference
    from refund_row r left join (
      select n, verdict, code from refund_judged
      union all
      select n, verdict, code from refund_row where verdict = 'rejected'
    ) first on first.n = r.first_n and r.first_n < r.n
    where r.verdict is not null;
    analyze refund_row, refund_judged`);
}
