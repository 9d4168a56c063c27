import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { bannedReason } from './family.ts';
import { type Mover, postings } from './journal.ts';

/**
 * Declines the commissions of banned affiliates that are pending or await approval, with the reason; ready ones stay,
 * unpaid. Returns how many were declined. Called whenever an affiliate may have become banned.
 */
export async function declineBanned(session: Session, mover: Mover): Promise<number> {
  const { accountId, runId, now } = mover;
  const declined = await sql<{ lines: number }>`/* ledger.decline_banned */
    with found as materialized (
      select m.id, m.status from commission m join affiliate a on a.account_id = ${accountId} and a.id = m.affiliate_id
      where m.account_id = ${accountId} and m.status in ('pending', 'pending_manual_approval') and a.status = 'banned'
      for update of m
    ),
    moved as (
      update commission m
      set status = 'declined', reason = ${bannedReason}, status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      from found
      where m.account_id = ${accountId} and m.id = found.id and m.status = found.status
      returning m.affiliate_id, m.currency, m.amount, found.status as was
    ),
    pending as (
      ${postings(sql`(select * from moved where was = 'pending') moved`, mover, { movement: 'decline', from: 'pending', to: 'declined' })}
    ),
    awaiting as (
      ${postings(sql`(select * from moved where was <> 'pending') moved`, mover, { movement: 'decline', from: 'awaiting', to: 'declined' })}
    )
    select count(*)::integer as lines from moved`.execute(session.sql);
  return declined.rows[0]?.lines ?? 0;
}
