import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';

/**
 * Gives every staged row its verdict, in the temporary table `dispute_judged`. A dispute is open from its first word on
 * and ends once, won or lost: what says so again is a duplicate, an opening that comes after the end opens nothing, and
 * another end, or another sale, is a conflict. Of two ends in one file the earlier counts.
 */
export async function judgeDisputes(session: Session, accountId: number): Promise<void> {
  const account = sql.lit(accountId);
  await sql`/* ledger.dispute.judge */
    create temp table dispute_judged on commit drop as
    with looked_up as materialized (
      select s.*, c.id as conversion_id, c.external_id as sale_id, c.currency as sale_currency, known.id as dispute_id,
        known.status as known_status, known.conversion_id as known_sale, known.opened_at as known_opened,
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
      select *, row_number() over (partition by external_id, state order by n) as sound_time, coalesce(known_sale, first_value(conversion_id) over (partition by external_id order by n)) as home
      from looked_up where conversion_id is not null and currency = sale_currency and amount > 0
    ),
    ending as materialized (
      select distinct on (external_id) external_id, state from sound
      where state <> 'opened' and conversion_id = home order by external_id, occurred_at, n
    )
    select l.*, sound.home, coalesce(nullif(l.known_status, 'open'), ending.state) as ended,
      case
        when l.conversion_id is null then case when l.waits or l.time > 1 then 'duplicates' else 'parked' end
        when sound.n is null then 'rejected'
        when sound.home <> l.conversion_id then 'conflicts'
        when l.state <> 'opened' and coalesce(nullif(l.known_status, 'open'), ending.state) <> l.state then 'conflicts'
        when sound.sound_time > 1 then 'duplicates'
        when l.state = 'opened' then case when l.known_opened is null then 'recorded' else 'duplicates' end
        when l.known_status = l.state then 'duplicates'
        else 'recorded'
      end as verdict,
      case
        when sound.n is null and l.currency <> l.sale_currency then 'refund-currency'
        when sound.n is null and l.amount <= 0 then 'refund-zero'
      end as code
    from looked_up l
    left join sound on sound.n = l.n
    left join ending on ending.external_id = l.external_id`.execute(session.sql);
}
