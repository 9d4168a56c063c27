import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { counted, failedMeanwhile, wanted } from './counts.ts';

/**
 * After some refunds of sales in `family` were taken back, and others stay: what each of those adds is worked out again, in
 * the order in which they were booked, because a total, or what came back, was judged by those that are gone. The sales of
 * `taken` have none. What the commissions are then too much or too little is left to `correct`.
 */
export async function recount(session: Session, accountId: number): Promise<void> {
  const account = sql.lit(accountId);
  const target = sql`case when one.gives_back then 0 else one.stated_amount end`;
  await session.client.query('drop table if exists pg_temp.refund_left');
  await sql`/* ledger.recount.rows */
    create temp table refund_left on commit drop as
    select one.id, one.conversion_id, c.amount as sale_amount, one.stated_amount as amount, one.is_total, one.gives_back, one.made_at,
      one.occurred_at, one.dispute_id, meanwhile.failed_meanwhile,
      case when one.dispute_id is not null
        then ${target} - coalesce(lag(${target}) over (partition by one.conversion_id, one.dispute_id order by one.place), 0) end
        as by_dispute,
      row_number() over (partition by one.conversion_id order by one.place) as place
    from (
      select r.* from refund r join family f on f.id = r.conversion_id
      where r.account_id = ${account} and r.taken_back is null
    ) one
    join conversion c on c.account_id = ${account} and c.id = one.conversion_id
    cross join lateral (
      select case when one.is_total and one.occurred_at_given then ${failedMeanwhile(sql`one.occurred_at`)} else 0 end
        as failed_meanwhile
      from refund r
      where r.account_id = ${account} and r.conversion_id = one.conversion_id and r.taken_back is null and r.place < one.place
    ) meanwhile`.execute(session.sql);
  await session.client.query('create index on refund_left (conversion_id, place); analyze refund_left');
  await sql`/* ledger.recount */
    with recursive step as (
      select conversion_id, 0::bigint as place, null::uuid as id, 0::bigint as before, 0::bigint as after,
        0::bigint as by_refunds, 0::bigint as by_disputes, 0::bigint as counted, null::timestamptz as total_at
      from refund_left where place = 1
      union all
      select next.conversion_id, next.place, next.id, step.after, least(wanted.amount, next.sale_amount), counted.by_refunds,
        counted.by_disputes, counted.by_refunds - step.by_refunds + counted.by_disputes - step.by_disputes,
        case when next.is_total then greatest(step.total_at, next.occurred_at) else step.total_at end
      from step
      join refund_left next on next.conversion_id = step.conversion_id and next.place = step.place + 1
      ${counted}
      ${wanted}
    )
    update refund r set amount = step.after - step.before, counted = step.counted
    from step
    where r.account_id = ${account} and r.id = step.id
      and (r.amount <> step.after - step.before or r.counted <> step.counted)`.execute(session.sql);
}
