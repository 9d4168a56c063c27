import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { newIdPrefix } from '../ids.ts';
import { isCurrency } from '../money.ts';
import { type Mover, postings } from './journal.ts';
import { personNamed } from './person.ts';

/** An amount that a person gives an affiliate, or takes. */
export interface Adjustment {
  affiliateId: string;
  programId: string;
  currency: string;
  /** Minor units of `currency`; negative takes. Not zero. */
  amount: bigint;
  reason: string;
  /** Who decided it. */
  by: string;
}

/**
 * Books adjustments, in order: each becomes a commission of its own that is ready at once, due at the mover's `now`, and
 * is taken up by the next payout. Returns their ids, in the same order. Raises `usage` without a reason or a name, for
 * zero and for an unknown currency, and `not-found` for an affiliate or programme that the account does not have.
 */
export async function adjust(session: Session, mover: Mover, adjustments: Adjustment[]): Promise<string[]> {
  for (const { reason, by, amount, currency } of adjustments) {
    personNamed(by, 'An adjustment');
    if (reason.trim() === '') throw new PayrunError('usage', 'An adjustment needs a reason.');
    if (amount === 0n) throw new PayrunError('usage', 'An adjustment of nothing changes nothing.');
    if (!isCurrency(currency))
      throw new PayrunError('usage', 'This is no ISO 4217 currency code such as USD.', { found: currency });
  }
  const { accountId, runId, now } = mover;
  const rows = adjustments.map(({ affiliateId, programId, currency, amount, reason, by }, index) => ({
    place: index + 1,
    affiliate_id: affiliateId,
    program_id: programId,
    currency,
    amount: amount.toString(),
    reason: reason.trim(),
    made_by: by.trim(),
  }));
  const done = await sql<{ id: string }>`/* ledger.adjust */
    with adjusted as materialized (
      select (${newIdPrefix(now)} || lpad(to_hex(given.place), 10, '0'))::uuid as id, given.*, p.rounding
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given(place integer, affiliate_id uuid, program_id uuid,
        currency text, amount bigint, reason text, made_by text)
      join program p on p.account_id = ${accountId} and p.id = given.program_id
      join affiliate a on a.account_id = ${accountId} and a.id = given.affiliate_id
    ),
    facts as (
      insert into adjustment (account_id, id, program_id, affiliate_id, amount, currency, reason, made_by, made_at)
      select ${accountId}::integer, id, program_id, affiliate_id, amount, currency, reason, made_by, ${now}::timestamptz
      from adjusted
    ),
    commissions as (
      insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id, hold_days,
        overridden, currency, status, rounding)
      select ${accountId}::integer, id, program_id, affiliate_id, amount, ${now}::timestamptz, ${now}::timestamptz,
        ${runId}::uuid, 0, false, currency, 'ready_for_payment', rounding
      from adjusted
    ),
    posted as (${postings(sql`adjusted`, mover, { movement: 'record', from: 'earned', to: 'ready' })})
    select id from adjusted order by place`.execute(session.sql);
  if (done.rows.length === adjustments.length) return done.rows.map((row) => row.id);
  throw new PayrunError('not-found', 'The account has no such affiliate or programme.', {
    todo: 'Nothing was adjusted; check the ids.',
  });
}
