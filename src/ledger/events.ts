import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { Mover } from './journal.ts';
import { introduce } from './record/introduce.ts';
import type { StagedSale } from './stage.ts';

/** A line of an event log on its way in. Conversions become sales; the other types move no money. */
export interface StagedEvent extends StagedSale {
  eventType: 'conversion' | 'lead' | 'trial' | 'milestone' | 'cancellation';
  eventName: string;
}

export interface EventVerdicts {
  recorded: number;
  duplicates: number;
  /** Without those that were faulty before they were staged. */
  rejected: number;
  parked: number;
  ignored: number;
}

export interface EventBatch {
  programId: string;
  importId: string;
  /** `parked` when the lines are the parked ones themselves, which are then no doubles of theirs. */
  log: 'new' | 'parked';
  /** What becomes of a line whose referral is unknown. */
  strangers: 'parked' | 'ignored';
  /** The SHA-256 of the log, where the same bytes were imported before: its lines without an id are known by their place. */
  again?: string | undefined;
}

/**
 * Takes the staged lines of a whole log: creates the referrals that they name with an affiliate, then records the
 * leads, trials, milestones and cancellations among them, once per external event id, and moves their referrals up, or
 * to canceled. A status never goes back because a line came late: each line's result is the highest status up to its
 * own moment. Lines whose referral is unknown are parked or ignored. Conversions were staged for their referrals alone, and are left to `record`.
 */
export async function recordEvents(
  session: Session,
  mover: Mover,
  batch: EventBatch,
): Promise<EventVerdicts> {
  const { accountId } = mover;
  // The planner knows nothing of the customers, and takes a nested loop over all of them for cheap.
  await session.client.query('set local enable_nestloop = off');
  await introduce(session, mover, batch.programId);
  await session.client.query('set local enable_nestloop = on; analyze customer');
  const rank = (status: string) =>
    sql`array_position(array['lead', 'trialing', 'customer', 'active'], ${sql.raw(status)})`;
  const counted = await sql<{ verdict: string; rows: number }>`/* ledger.events */
    with ${batch.again === undefined ? sql`` : linesOf(accountId, batch.again)}
    judged as materialized (
      select s.id, s.n, s.line, s.external_id, s.event_type, s.event_name, s.occurred_at, s.metadata,
        name.exact as named, customer.referral_id,
        case
          when not name.is_known then 'affiliate-unknown'
          when name.is_known and name.affiliate_id is null then 'affiliate-ambiguous'
        end as code,
        s.external_id is not null and (
          exists (select from event e where e.account_id = ${accountId} and e.external_event_id = s.external_id)
          or exists (select from conversion c where c.account_id = ${accountId} and c.external_id = s.external_id)
          or (${batch.log === 'new'} and exists (
            select from parked_event p where p.account_id = ${accountId} and p.external_event_id = s.external_id))
        ) ${batch.again === undefined ? sql`` : sql`or s.external_id is null and s.line in (select line from earlier)`} as known
      from stage s
      left join name on name.no = s.name_no
      left join customer on customer.n = s.n
      where s.event_type <> 'conversion'
    ),
    first as materialized (
      select external_id, min(n) as n from judged where code is null and external_id is not null group by external_id
    ),
    verdicts as materialized (
      select judged.*, case
        when code is not null then 'rejected'
        when known or first.n < judged.n then 'duplicates'
        when referral_id is null then ${batch.strangers}
        else 'recorded' end as verdict
      from judged left join first on first.external_id = judged.external_id
    ),
    refused as (
      insert into outcome (n, line, verdict, code, field, found)
      select n, line, verdict, coalesce(code, 'customer-unknown'),
        case when code is not null then 'metadata.affiliate_id' end, case when code is not null then named end
      from verdicts where verdict in ('rejected', 'parked')
    ),
    ranked as materialized (
      select v.*, r.status as was,
        greatest(${rank('r.status')}, max(case v.event_type when 'lead' then 1 when 'trial' then 2 end)
          over (partition by v.referral_id order by v.occurred_at, v.n)) as rank,
        max(case v.event_type when 'lead' then 1 when 'trial' then 2 end) over (partition by v.referral_id) as reached,
        bool_or(v.event_type = 'cancellation') over (partition by v.referral_id) as has_left
      from verdicts v join referral r on r.account_id = ${accountId} and r.id = v.referral_id
      where v.verdict = 'recorded'
    ),
    recorded as (
      insert into event (account_id, id, external_event_id, event_type, event_name, referral_id, referral_status, action,
        occurred_at, import_id, line, metadata)
      select ${accountId}::integer, id, external_id, event_type, event_name,
        referral_id, case when event_type = 'cancellation' and was <> 'rejected' then 'canceled'
          when was in ('canceled', 'rejected') then was else (array['lead', 'trialing', 'customer', 'active'])[rank] end,
        case when event_type = 'milestone' then 'event_recorded' else 'referral_updated' end,
        occurred_at, ${batch.importId}::uuid, line, metadata
      from ranked
    ),
    moved as (
      update referral r set status = case when has_left then 'canceled' else (array['lead', 'trialing'])[reached.reached] end
      from (select distinct referral_id, reached, has_left from ranked) reached
      where r.account_id = ${accountId} and r.id = reached.referral_id
        and (reached.reached > ${rank('r.status')} or (has_left and r.status not in ('canceled', 'rejected')))
    )
    select verdict, count(*)::integer as rows from verdicts group by verdict`.execute(session.sql);
  await session.client.query('truncate stage, customer');
  const rows = (verdict: string) => counted.rows.find((row) => row.verdict === verdict)?.rows ?? 0;
  return {
    recorded: rows('recorded'),
    duplicates: rows('duplicates'),
    rejected: rows('rejected'),
    parked: rows('parked'),
    ignored: rows('ignored'),
  };
}

/** A CTE of the lines without an id that imports of the same bytes have recorded or parked, and that were not undone. */
function linesOf(accountId: number, sha256: string): RawBuilder<unknown> {
  return sql`
    same as materialized (
      select id from import where account_id = ${accountId} and sha256 = ${sha256} and undone_at is null
    ),
    earlier as materialized (
      select line from event
      where account_id = ${accountId} and external_event_id is null and import_id in (select id from same)
      union
      select line from parked_event
      where account_id = ${accountId} and external_event_id is null and import_id in (select id from same)
    ),`;
}
