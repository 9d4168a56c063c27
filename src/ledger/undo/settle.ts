import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../journal.ts';

/** What hung together with an undone import, besides its sales, refunds and disputes. */
export interface Settled {
  /** Leads, trials, milestones and cancellations: they may come again; the status that they gave stays. */
  events: number;
  /** Lines and refunds that waited, and wait no more. */
  parked: number;
  /** Conflicts that it brought, and those of other imports about its sales. */
  conflicts: number;
  /** Its versions of sales that a person has accepted; they stay. */
  accepted_that_stay: number;
  /** Refunds and words of disputes by other imports, for its sales: they wait for these to come again. */
  waiting_again: number;
}

/** Settles that, once the sales are taken back; `parked` is what `giveUpParked` returned. */
export async function settleOthers(
  session: Session,
  { accountId, runId, now }: Mover,
  {
    importId,
    by,
    tail,
    why,
    parked,
  }: { importId: string; by: string; tail: string; why: string; parked: number },
): Promise<Settled> {
  const events = await sql`/* ledger.undo.events */
    update event set external_event_id = external_event_id || ${tail}
    where account_id = ${accountId} and import_id = ${importId}::uuid`.execute(session.sql);
  const conflicts = await sql`/* ledger.undo.conflicts */
    update conflict set status = 'withdrawn', decided_at = ${now}::timestamptz, decided_by = ${by}, decided_run_id = ${runId}::uuid,
      reason = ${why}
    where account_id = ${accountId} and status = 'open'
      and (import_id = ${importId}::uuid or conversion_id in (select id from taken))`.execute(session.sql);
  const rows = await sql<{ accepted: number; waiting: number }>`/* ledger.undo.left */
    with given as (
      select c.external_id from taken join conversion c on c.account_id = ${accountId} and c.id = taken.id
    ),
    sale as (select left(external_id, -${tail.length}::integer) as external_id from given)
    select
      (select count(*) from conflict where account_id = ${accountId} and import_id = ${importId}::uuid and status = 'accepted')::integer
        as accepted,
      ((select count(*) from parked_refund where account_id = ${accountId} and sale_external_id in (select external_id from sale))
        + (select count(*) from parked_dispute where account_id = ${accountId} and sale_external_id in (select external_id from sale))
      )::integer as waiting`.execute(session.sql);
  return {
    events: Number(events.numAffectedRows ?? 0n),
    parked,
    conflicts: Number(conflicts.numAffectedRows ?? 0n),
    accepted_that_stay: rows.rows[0]!.accepted,
    waiting_again: rows.rows[0]!.waiting,
  };
}

/**
 * Gives up what the import has parked; returns how much. To be called before its sales are collected: whoever records
 * some of it at the moment holds these rows, and is waited for.
 */
export async function giveUpParked(session: Session, accountId: number, importId: string): Promise<number> {
  let parked = 0n;
  for (const table of ['parked_event', 'parked_refund', 'parked_dispute']) {
    const gone = await sql`/* ledger.undo.parked */
      delete from ${sql.table(table)} where account_id = ${accountId} and import_id = ${importId}::uuid`.execute(
      session.sql,
    );
    parked += gone.numAffectedRows ?? 0n;
  }
  return Number(parked);
}
