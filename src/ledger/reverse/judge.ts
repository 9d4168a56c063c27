import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { counted, failedMeanwhile, wanted } from './counts.ts';
import { refundPrint } from './print.ts';

/**
 * Gives every staged refund its verdict, in the temporary table `refund_judged`: `duplicates` (known with the same
 * facts, or nothing new in it), `conflicts` (known with other facts, or another total than what refunds have taken,
 * which nothing proves to be the later one), `rejected` with the fault's code, `parked` (its sale is not known), `recorded`
 * with what was taken of the sale before and after it. The sales are locked, so that what is read here stays true.
 * Doubles in one file: the first counts. With `isAgain` the same bytes were imported before.
 */
export async function judgeRefunds(session: Session, accountId: number, isAgain: boolean): Promise<void> {
  await session.client.query(`
    drop table if exists pg_temp.refund_row, pg_temp.refund_candidate, pg_temp.refund_judged;
    create temp table refund_judged (n integer not null, conversion_id uuid, verdict text not null, code text,
      place bigint, before bigint, after bigint, counted bigint, difference jsonb) on commit drop`);
  await lookUp(session, accountId, isAgain);
  await lineUp(session, accountId);
  await fold(session);
  await closeDoubles(session);
}

/** Each row beside its sale and beside what is known under its id; settles those that need no look at other refunds. */
async function lookUp(session: Session, accountId: number, isAgain: boolean): Promise<void> {
  const account = sql.lit(accountId);
  // What names a refund as its sale would wait for ever: the id is taken.
  const isOfRefund = sql`our_sale is null and conversion_id is null and (
    sale_external_id in (select external_id from refund_stage) or exists (
      select from refund r where r.account_id = ${account} and r.external_id = compared.sale_external_id))`;
  // A total without a moment is no fact that is known once and for all: it may have fallen, and come to the same again.
  const isState = sql`(is_total and not occurred_at_given and first_n = n)`;
  const isOpen = sql`exists (
    select from conflict k where k.account_id = ${account} and k.conversion_id = compared.conversion_id
      and k.external_id = compared.external_id and k.about = 'refund' and k.status = 'open')`;
  const isKnownState = isAgain
    ? sql`(${isState} and (known_conversion_id is not null or amount = 0) and not ${isOpen})`
    : sql`false`;
  const isDecided = sql`exists (
    select from conflict k where k.account_id = ${account} and k.conversion_id = known_conversion_id
      and k.fingerprint = ${refundPrint(sql`compared`)} and k.about = 'refund' and k.status in ('kept', 'accepted'))`;
  await sql`/* ledger.reverse.look_up */
    create temp table refund_row on commit drop as
    with numbered as materialized (
      select s.*, first_value(s.n) over (partition by s.external_id
        order by case when s.gives_back then s.occurred_at end, s.n) as first_n from refund_stage s
    ),
    beside as (
      select s.*, c.id as conversion_id, c.amount as sale_amount, c.currency as sale_currency,
        taken.id as taken_id, coalesce(known.id, waiting.id) as known_id, known.conversion_id as known_conversion_id,
        case when s.first_n <> s.n then f.sale_external_id else coalesce(known.sale_external_id, waiting.sale_external_id) end
          as our_sale,
        case when s.first_n <> s.n then f.amount else coalesce(known.stated_amount, waiting.amount) end as our_amount,
        case when s.first_n <> s.n then f.is_total else coalesce(known.is_total, waiting.is_total) end as our_total,
        case when s.first_n <> s.n then f.currency else coalesce(known.currency, waiting.currency) end as our_currency,
        case when s.first_n <> s.n then f.occurred_at else coalesce(known.occurred_at, waiting.occurred_at) end as our_time,
        case when s.first_n <> s.n then f.occurred_at_given else coalesce(known.occurred_at_given, waiting.occurred_at_given) end
          as our_time_given
      from numbered s
      left join numbered f on f.external_id = s.external_id and f.n = s.first_n and s.first_n <> s.n
      left join lateral (
        select id, amount, currency from conversion
        where account_id = ${account} and external_id = s.sale_external_id limit 1
      ) c on true
      left join lateral (
        select id from conversion where account_id = ${account} and external_id = s.external_id limit 1
      ) taken on true
      left join lateral (
        select r.*, sale.external_id as sale_external_id from refund r
        join conversion sale on sale.account_id = ${account} and sale.id = r.conversion_id
        where r.account_id = ${account} and r.external_id = s.external_id limit 1
      ) known on true
      left join lateral (
        select * from parked_refund p
        where p.account_id = ${account} and p.external_id = s.external_id and s.parked_id is null limit 1
      ) waiting on true
    ),
    compared as (
      select *, jsonb_strip_nulls(jsonb_build_object(
        'refund_of', case when our_sale <> sale_external_id then jsonb_build_object('ours', our_sale, 'theirs', sale_external_id) end,
        'amount', case when our_amount <> amount or our_total <> is_total
          then jsonb_build_object('ours', our_amount::text, 'theirs', amount::text) end,
        'currency', case when our_currency <> currency then jsonb_build_object('ours', our_currency, 'theirs', currency) end,
        'occurred_at', case when our_time <> occurred_at and our_time_given and occurred_at_given and not gives_back
          then jsonb_build_object('ours', our_time, 'theirs', occurred_at) end
      )) as difference
      from beside
    )
    select compared.*,
      case
        when taken_id is not null or ${isOfRefund} then 'rejected'
        when our_sale is null and conversion_id is null then 'parked'
        when ${isKnownState} then 'duplicates'
        when ${isState} and known_conversion_id = conversion_id and difference = '{}' then null
        when our_sale is not null and difference = '{}' then 'duplicates'
        when our_sale is not null and coalesce(known_conversion_id, conversion_id) is null then 'rejected'
        when our_sale is not null then case when ${isDecided} then 'duplicates' else 'conflicts' end
        when currency <> sale_currency or amount < 0 or (amount = 0 and not is_total) then 'rejected'
      end as verdict,
      case
        when taken_id is not null then 'refund-id-of-sale'
        when ${isOfRefund} then 'refund-of-refund'
        when our_sale is not null then 'refund-differs'
        when currency <> sale_currency then 'refund-currency'
        when amount <= 0 and not is_total then 'refund-zero'
      end as code
    from compared`.execute(session.sql);
}

/**
 * The rows that a sale is refunded by, each with its place among those of the sale: by occurred_at, then external id;
 * totals without a moment as they stand in the file. Beside each, what the rows before this file have come to.
 */
async function lineUp(session: Session, accountId: number): Promise<void> {
  await sql`/* ledger.reverse.line_up */
    create temp table refund_candidate on commit drop as
    select one.n, one.conversion_id, one.sale_amount, one.amount, one.is_total, one.occurred_at, one.occurred_at_given,
      one.dispute_id, one.gives_back, one.made_at, one.accepted, known.*,
      case when one.dispute_id is not null
        then case when one.gives_back then 0 else one.amount end - known.of_dispute end as by_dispute,
      row_number() over (partition by one.conversion_id order by one.occurred_at,
        case when one.is_total and one.occurred_at_given then one.amount end,
        case when one.is_total then one.n end, one.external_id collate "C") as place
    from refund_row one
    cross join lateral (
      select coalesce(sum(r.amount), 0)::bigint as refunded,
        coalesce(sum(r.counted) filter (where r.dispute_id is null), 0)::bigint as by_refunds,
        coalesce(sum(r.counted) filter (where r.dispute_id is not null), 0)::bigint as by_disputes,
        coalesce(sum(r.counted) filter (where r.dispute_id = one.dispute_id), 0)::bigint as of_dispute,
        max(r.occurred_at) filter (where r.is_total) as total_at,
        max(r.occurred_at) filter (where r.is_total and r.occurred_at_given) as timed_at,
        max(r.occurred_at) filter (where r.dispute_id is null and not r.gives_back) as last_at,
        coalesce(max(r.stated_amount) filter (where r.is_total), 0) as highest, coalesce(max(r.place), 0) as booked,
        bool_or(r.is_total and r.occurred_at_given and r.stated_amount = one.amount and r.occurred_at = one.occurred_at)
          as is_known,
        case when one.is_total and one.occurred_at_given then ${failedMeanwhile(sql`one.occurred_at`)} else 0 end
          as failed_meanwhile
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
 * dispute takes no more than is left. Of two totals the later counts, whichever is higher. Where moments do not prove
 * which one that is, totals are taken to rise: one that is no higher than all before it is a conflict.
 */
async function fold(session: Session): Promise<void> {
  const isTimed = sql`next.occurred_at_given`;
  const isLater = sql`(next.accepted or (${isTimed} and (step.last_at is null or next.occurred_at > step.last_at)))`;
  // What it comes to may be known; that it is so at that moment decides about what is told of earlier ones later.
  const isLast = sql`(${isTimed} and case when step.total_at is null then next.amount > 0 else next.occurred_at > step.total_at end)`;
  const isEarlier = sql`(${isTimed} and not next.accepted and (next.occurred_at < step.timed_at or next.is_known))`;
  await sql`/* ledger.reverse.fold */
    with recursive step as (
      select conversion_id, 0::bigint as place, null::integer as n, refunded as before, refunded as after, by_refunds as ours,
        by_refunds, by_disputes, 0::bigint as counted, total_at, timed_at, last_at, highest, booked, null::text as verdict
      from refund_candidate where place = 1
      union all
      select next.conversion_id, next.place, next.n, step.after,
        case when is_in then wanted.amount else step.after end,
        step.by_refunds,
        case when is_in then counted.by_refunds else step.by_refunds end,
        case when is_in then counted.by_disputes else step.by_disputes end,
        counted.by_refunds - step.by_refunds + counted.by_disputes - step.by_disputes,
        case when is_in and next.is_total then greatest(step.total_at, next.occurred_at) else step.total_at end,
        case when is_in and next.is_total and ${isTimed} then greatest(step.timed_at, next.occurred_at) else step.timed_at end,
        case when is_in and next.dispute_id is null and not next.gives_back
          then greatest(step.last_at, next.occurred_at) else step.last_at end,
        case when is_in and next.is_total then greatest(step.highest, next.amount) else step.highest end,
        step.booked, judged.verdict
      from step
      join refund_candidate next on next.conversion_id = step.conversion_id and next.place = step.place + 1
      ${counted}
      ${wanted}
      cross join lateral (
        select case
          when next.gives_back or next.dispute_id is not null then 'recorded'
          when next.is_total and (${isEarlier} or (counted.by_refunds = step.by_refunds and not ${isLast})) then 'duplicates'
          when next.is_total and not ${isLater} and counted.by_refunds <> step.by_refunds and (next.amount <= step.highest or counted.by_refunds < step.by_refunds)
            then 'conflicts'
          when wanted.amount > next.sale_amount then 'rejected'
          else 'recorded' end as verdict
      ) judged
      cross join lateral (select judged.verdict = 'recorded' as is_in) stays
    )
    insert into refund_judged (n, conversion_id, verdict, code, place, before, after, counted, difference)
    select n, conversion_id, verdict, case when verdict = 'rejected' then 'refund-exceeds' end, booked + place, before, after, counted,
      case when verdict = 'conflicts' then jsonb_build_object('refunded_total', jsonb_build_object('ours', ours::text,
        'theirs', (select amount::text from refund_candidate c where c.conversion_id = step.conversion_id and c.place = step.place)))
      end
    from step where place > 0`.execute(session.sql);
}

/** The rows that were settled at once. A double of a row that is rejected, or in conflict, is so as well. */
async function closeDoubles(session: Session): Promise<void> {
  await session.client.query(`/* ledger.reverse.doubles */
    insert into refund_judged (n, conversion_id, verdict, code, difference)
    select r.n, coalesce(r.known_conversion_id, r.conversion_id),
      case when r.verdict = 'duplicates' and first.verdict in ('rejected', 'conflicts') then first.verdict else r.verdict end,
      case when r.verdict = 'duplicates' then first.code else r.code end,
      case when r.verdict = 'duplicates' and first.verdict = 'conflicts' then first.difference else r.difference end
    from refund_row r left join (
      select n, verdict, code, difference from refund_judged
      union all
      select n, verdict, code, difference from refund_row where verdict in ('rejected', 'conflicts')
    ) first on first.n = r.first_n and r.first_n <> r.n
    where r.verdict is not null;
    analyze refund_row, refund_judged`);
}
