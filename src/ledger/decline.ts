import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { CommissionStatus, LedgerAccount } from '../db/tables.ts';
import { bannedReason } from './family.ts';
import { type Mover, postings } from './journal.ts';
import { plannedForMany } from './statistics.ts';

/**
 * Declines the commissions of banned affiliates that are pending or await approval, with the reason; ready ones stay,
 * unpaid. Returns how many were declined. Called whenever an affiliate may have become banned.
 */
export async function declineBanned(session: Session, mover: Mover): Promise<number> {
  return plannedForMany(session, () => decline(session, mover));
}

async function decline(session: Session, mover: Mover): Promise<number> {
  const { accountId, runId, now } = mover;
  const moved = (was: CommissionStatus) => sql`
    update commission m
    set status = 'declined', reason = ${bannedReason}, status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
    from banned
    where m.account_id = ${accountId} and m.status = ${sql.lit(was)} and m.affiliate_id = banned.id
    returning m.affiliate_id, m.currency, m.amount`;
  const posted = (lines: string, from: LedgerAccount) =>
    postings(sql.ref(lines), mover, { movement: 'decline', from, to: 'declined' });
  const declined = await sql<{ lines: number }>`/* ledger.decline_banned */
    with banned as materialized (
      select id from affiliate where account_id = ${accountId} and status = 'banned'
    ),
    pending as (${moved('pending')}),
    awaiting as (${moved('pending_manual_approval')}),
    posted_pending as (${posted('pending', 'pending')}),
    posted_awaiting as (${posted('awaiting', 'awaiting')})
    select ((select count(*) from pending) + (select count(*) from awaiting))::integer as lines`.execute(
    session.sql,
  );
  return declined.rows[0]!.lines;
}
