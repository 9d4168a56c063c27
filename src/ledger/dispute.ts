import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { newIdPrefix } from '../ids.ts';
import { judgeDisputes } from './dispute/judge.ts';
import { disputeParking } from './dispute/stage.ts';
import { leaveDrafts } from './family.ts';
import type { Mover } from './journal.ts';
import { gather } from './parked.ts';

export { DisputeStage, disputeParking, type StagedDispute } from './dispute/stage.ts';

export type DisputeVerdict = 'recorded' | 'duplicates' | 'conflicts' | 'rejected' | 'parked';

/** How staged disputes ended: rows of the file, and rows that earlier imports had parked. */
export interface Disputed {
  rows: Record<DisputeVerdict, number>;
  parked: Record<DisputeVerdict, number>;
}

/**
 * The one door for disputes: takes the rows of `dispute_stage` (see DisputeStage), and those parked by earlier imports
 * whose sale is known now. While a dispute is open, the commission of its sale is neither released nor paid, and leaves a
 * draft payout; won, that ends; lost, the disputed amount is put into `refund_stage` (see RefundStage, which is open)
 * for `reverse`, which is to be called next: it takes as much of it as the sale has left, and gives it back when the
 * dispute is won after all. Rejected rows go to the
 * `outcome` table, which `createStage` makes. `importId` as for `reverse`. Twice changes nothing.
 */
export async function dispute(session: Session, mover: Mover, importId: string | null): Promise<Disputed> {
  const { accountId } = mover;
  await session.client.query('drop table if exists pg_temp.dispute_judged');
  await gather(session, accountId, importId, disputeParking);
  await judgeDisputes(session, accountId);
  await keep(session, mover);
  const opened = sql`select conversion_id from dispute where account_id = ${accountId} and status = 'open'
    and external_id in (select external_id from dispute_judged where verdict = 'recorded')`;
  await leaveDrafts(session, mover, opened, 'disputes left nothing to pay');
  await stageEnds(session, accountId);
  await keepOthers(session, mover);
  const disputed = await count(session);
  await session.client.query('truncate dispute_stage');
  return disputed;
}

/** Writes new disputes, in the state that all rows of the file give them, and moves known ones on. */
async function keep(session: Session, { accountId, now }: Mover): Promise<void> {
  await sql`/* ledger.dispute */
    with told as materialized (
      select external_id, home, dispute_id, min(import_id::text)::uuid as import_id, min(line) as line,
        min(amount) as amount, min(currency) as currency, min(occurred_at) filter (where state = 'opened') as opened_at,
        max(new_end) as new_end, max(end_at) as end_at, max(end_amount) as end_amount
      from dispute_judged where verdict = 'recorded'
      group by external_id, home, dispute_id
    ),
    moved as (
      update dispute d set status = coalesce(told.new_end, d.status), opened_at = coalesce(d.opened_at, told.opened_at),
        closed_at = coalesce(told.end_at, d.closed_at), amount = coalesce(told.end_amount, d.amount)
      from told where d.account_id = ${accountId} and d.id = told.dispute_id
    )
    insert into dispute (account_id, id, conversion_id, external_id, amount, currency, status, opened_at, closed_at, import_id, line)
    select ${accountId}::integer, (${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by external_id)), 10, '0'))::uuid,
      home, external_id, coalesce(end_amount, amount), currency, coalesce(new_end, 'open'), opened_at, end_at,
      import_id, line
    from told where dispute_id is null`.execute(session.sql);
}

/**
 * What a lost dispute takes is a refund under the dispute's id, and so is what comes back when it is won later; ids of
 * Payrun's own hold a `#`.
 */
async function stageEnds(session: Session, accountId: number): Promise<void> {
  await sql`/* ledger.dispute.ends */
    insert into refund_stage (n, line, external_id, sale_external_id, amount, is_total, currency, occurred_at,
      occurred_at_given, gives_back, dispute_id, import_id)
    select j.n, j.line, own.id || case when exists (
        select from refund r where r.account_id = ${accountId} and r.external_id = own.id)
        then to_char(j.end_at at time zone 'UTC', '@YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') else '' end,
      j.sale_id, d.amount, false, j.currency, j.end_at, true, j.new_end = 'won', d.id, j.import_id
    from dispute_judged j
    join dispute d on d.account_id = ${accountId} and d.external_id = j.external_id
    cross join lateral (select j.external_id || '#' || j.new_end as id) own
    where j.n = j.end_n and (j.new_end = 'lost' or j.known_status = 'lost')`.execute(session.sql);
}

/** Writes down what was not recorded: rejected rows, conflicts, and rows whose sale is not known. */
async function keepOthers(session: Session, { accountId, now }: Mover): Promise<void> {
  const id = sql`(${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by n)), 10, '0'))::uuid`;
  await sql`/* ledger.dispute.others */
    with refused as (
      insert into outcome (n, line, verdict, code, field, found)
      select n, line, 'rejected', code, case when code = 'refund-currency' then 'currency' else 'amount' end, sale_currency
      from dispute_judged where verdict = 'rejected' and parked_id is null
    ),
    conflicts as (
      insert into conflict (account_id, id, conversion_id, import_id, line, further_lines, external_id, fingerprint, sales_status,
        difference, status, about, found_at, amount, currency, occurred_at, occurred_at_given)
      select ${accountId}::integer, ${id}, home, import_id, line, further_lines, external_id, print, state,
        jsonb_strip_nulls(jsonb_build_object(
          'dispute', case when ended <> state and state <> 'opened' then jsonb_build_object('ours', ended, 'theirs', state) end,
          'sale', case when home <> conversion_id then jsonb_build_object('ours',
            (select c.external_id from conversion c where c.account_id = ${accountId} and c.id = home), 'theirs', sale_external_id) end
        )), 'open', 'dispute', ${now}::timestamptz, amount, currency, occurred_at, true
      from (
        select distinct on (home, print, state) *,
          array_remove(array_agg(line) over (partition by home, print, state, import_id), line) as further_lines
        from dispute_judged where verdict = 'conflicts' order by home, print, state, n
      ) each
      on conflict do nothing
    ),
    parked as (
      insert into parked_dispute (account_id, id, external_id, state, sale_external_id, amount, currency, occurred_at, import_id, line)
      select ${accountId}::integer, ${id}, external_id, state, sale_external_id, amount, currency, occurred_at, import_id, line
      from dispute_judged where verdict = 'parked'
      on conflict do nothing
    ),
    settled as (
      delete from parked_dispute p using dispute_judged j
      where p.account_id = ${accountId} and p.id = j.parked_id and j.verdict <> 'rejected'
    )
    update parked_dispute p set code = j.code from dispute_judged j
    where p.account_id = ${accountId} and p.id = j.parked_id and j.verdict = 'rejected'`.execute(session.sql);
}

async function count(session: Session): Promise<Disputed> {
  const counted = await sql<{ was_parked: boolean; verdict: DisputeVerdict; rows: number }>`
    /* ledger.dispute.count */
    select parked_id is not null as was_parked, verdict, count(*)::integer as rows
    from dispute_judged group by 1, 2`.execute(session.sql);
  const none = { recorded: 0, duplicates: 0, conflicts: 0, rejected: 0, parked: 0 };
  const disputed: Disputed = { rows: { ...none }, parked: { ...none } };
  for (const { was_parked, verdict, rows } of counted.rows)
    disputed[was_parked ? 'parked' : 'rows'][verdict] += rows;
  return disputed;
}
