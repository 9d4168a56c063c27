import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';

/**
 * Gives every staged row its verdict, in the temporary table `dispute_judged`. A dispute is open from its first word on,
 * until it is won or lost; of two ends the later counts, also when it was recorded with the other one before. What says
 * the same again is a duplicate, as is what came before that; an opening that comes after the end opens nothing; another
 * end at the very same moment, or another sale, is a conflict, unless a person has decided about it or (`accepted`)
 * decides for it now. Each row knows the end that its dispute gets now (`new_end`, with `end_at`, `end_amount` and the row
 * `end_n`), where it gets one.
 */
export async function judgeDisputes(session: Session, accountId: number): Promise<void> {
  const account = sql.lit(accountId);
  const isEnd = sql`l.state <> 'opened'`;
  const isDecided = sql`exists (
    select from conflict k where k.account_id = ${account} and k.conversion_id = sound.home and k.fingerprint = l.print
      and k.sales_status = l.state and k.about = 'dispute' and k.status in ('kept', 'accepted'))`;
  const conflict = sql`case when ${isDecided} then 'duplicates' else 'conflicts' end`;
  await sql`/* ledger.dispute.judge */
    create temp table dispute_judged on commit drop as
    with looked_up as materialized (
      select s.*, c.id as conversion_id, c.external_id as sale_id, c.currency as sale_currency, known.id as dispute_id,
        known.status as known_status, known.conversion_id as known_sale, known.opened_at as known_opened,
        known.closed_at as known_closed, ${disputePrint(sql`s`)} as print,
        waiting.id is not null as waits, row_number() over (partition by s.external_id, s.state order by s.n) as time
      from dispute_stage s
      left join lateral (
        select id, external_id, currency from conversion
        where account_id = ${account} and external_id = s.sale_external_id limit 1
      ) c on true
      left join lateral (
        select * from dispute d where d.account_id = ${account} and d.external_id = s.external_id limit 1
      ) known on true
      left join lateral (
        select id from parked_dispute p
        where p.account_id = ${account} and p.external_id = s.external_id and p.state = s.state and s.parked_id is null limit 1
      ) waiting on true
    ),
    sound as materialized (
      select *, row_number() over (partition by external_id, state order by n) as sound_time,
        coalesce(known_sale, first_value(conversion_id) over (partition by external_id order by n)) as home
      from looked_up where conversion_id is not null and currency = sale_currency and amount > 0
    ),
    last as materialized (
      select distinct on (external_id) external_id, state, occurred_at from sound
      where state <> 'opened' and conversion_id = home order by external_id, accepted desc, occurred_at desc, n
    ),
    -- Told several times, an end counts from the first time on after which nothing said otherwise.
    ending as materialized (
      select distinct on (s.external_id) s.external_id, s.state, s.occurred_at, s.amount, s.n
      from sound s join last on last.external_id = s.external_id and last.state = s.state
      where s.conversion_id = s.home
        and (s.accepted or s.known_closed is null or s.occurred_at > s.known_closed) and s.state is distinct from s.known_status
        and not exists (
          select from sound o where o.external_id = s.external_id and o.conversion_id = o.home and o.state <> s.state
            and o.state <> 'opened' and o.occurred_at >= s.occurred_at and o.occurred_at < last.occurred_at)
      order by s.external_id, s.occurred_at, s.n
    )
    select l.*, sound.home, ending.state as new_end, ending.occurred_at as end_at, ending.amount as end_amount, ending.n as end_n,
      coalesce(ending.state, nullif(l.known_status, 'open'), last.state) as ended,
      case
        when l.conversion_id is null then case when l.waits or l.time > 1 then 'duplicates' else 'parked' end
        when sound.n is null then 'rejected'
        when sound.home <> l.conversion_id then ${conflict}
        when ending.n = l.n then 'recorded'
        when ${isEnd} and l.state <> coalesce(ending.state, nullif(l.known_status, 'open'))
          and l.occurred_at = coalesce(ending.occurred_at, l.known_closed) then ${conflict}
        when sound.sound_time > 1 then 'duplicates'
        when not (${isEnd}) then case when l.known_opened is null then 'recorded' else 'duplicates' end
        when l.known_status = l.state or l.occurred_at <= l.known_closed then 'duplicates'
        when ending.state = l.state then 'duplicates'
        else 'recorded'
      end as verdict,
      case
        when sound.n is null and l.currency <> l.sale_currency then 'refund-currency'
        when sound.n is null and l.amount <= 0 then 'refund-zero'
      end as code
    from looked_up l
    left join sound on sound.n = l.n
    left join last on last.external_id = l.external_id
    left join ending on ending.external_id = l.external_id`.execute(session.sql);
}

/** An SQL expression: the fingerprint of what the staged row says, as its conflict keeps it. */
function disputePrint(row: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`substring(sha256(textsend(${row}.external_id) || textsend(${row}.state) || textsend(${row}.sale_external_id)) for 16)`;
}
