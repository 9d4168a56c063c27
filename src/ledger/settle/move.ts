import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { CommissionStatus, LedgerAccount, Movement, PayoutStatus } from '../../db/tables.ts';
import { PayrunError } from '../../errors.ts';
import { type Mover, postings } from '../journal.ts';
import type { Answered } from './judge.ts';

/** A payout that an answer moves on, and what is stored with it. */
export interface Move {
  payoutId: string;
  outcome: Answered;
  was: PayoutStatus;
  providerReference: string | null;
  reason: string | null;
}

/** Payouts of one currency and outcome, how many commissions they have, and their sum in minor units. */
export interface Moved {
  outcome: Answered;
  currency: string;
  payouts: number;
  lines: number;
  amount: bigint;
}

interface Path {
  was: PayoutStatus;
  outcomes: Answered[];
  line: { from: CommissionStatus; to: CommissionStatus; staysInPayout: boolean };
  posting: { movement: Movement; from: LedgerAccount; to: LedgerAccount };
}

/** What an answer does to the commissions of a payout, by where that was. */
const paths: Path[] = [
  {
    was: 'exported',
    outcomes: ['paid'],
    line: { from: 'ready_for_payment', to: 'paid', staysInPayout: true },
    posting: { movement: 'pay', from: 'in_payout', to: 'paid' },
  },
  {
    was: 'exported',
    outcomes: ['failed', 'returned'],
    line: { from: 'ready_for_payment', to: 'ready_for_payment', staysInPayout: false },
    posting: { movement: 'unclaim', from: 'in_payout', to: 'ready' },
  },
  {
    was: 'paid',
    outcomes: ['returned'],
    line: { from: 'paid', to: 'ready_for_payment', staysInPayout: false },
    posting: { movement: 'return', from: 'paid', to: 'ready' },
  },
];

/**
 * Moves payouts, and the commissions in them, where their answers say: paid ones stay in their payout, those of a payout
 * that failed or was returned are ready for another one. Raises `books-adrift` for a payout that is not the sum of its
 * commissions.
 */
export async function movePayouts(
  session: Session,
  mover: Mover,
  moves: Move[],
  by: string,
): Promise<Moved[]> {
  const moved: Moved[] = [];
  for (const path of paths) {
    const taken = moves.filter((one) => one.was === path.was && path.outcomes.includes(one.outcome));
    if (taken.length > 0) moved.push(...(await moveAlong(session, mover, path, taken, by)));
  }
  return moved;
}

async function moveAlong(
  session: Session,
  mover: Mover,
  { was, line, posting }: Path,
  moves: Move[],
  by: string,
): Promise<Moved[]> {
  const { accountId, runId, now } = mover;
  const rows = moves.map((one) => ({
    id: one.payoutId,
    outcome: one.outcome,
    provider_reference: one.providerReference,
    reason: one.reason,
  }));
  const done = await sql<Moved & { agrees: boolean }>`/* ledger.settle */
    with answered as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as given(id uuid, outcome text, provider_reference text, reason text)
    ),
    settled as (
      update payout p set status = a.outcome, provider_reference = coalesce(a.provider_reference, p.provider_reference),
        reason = a.reason, settled_by = ${by}, status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      from answered a
      where p.account_id = ${accountId} and p.id = a.id and p.status = ${was}
      returning p.id, p.status, p.currency, p.amount, p.lines
    ),
    moved as (
      update commission m set status = ${line.to}, status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid,
        payout_id = ${line.staysInPayout ? sql`m.payout_id` : sql`null`}
      from settled s
      where m.account_id = ${accountId} and m.payout_id = s.id and m.status = ${line.from}
      returning s.id as was_in, m.affiliate_id, m.currency, m.amount
    ),
    posted as (${postings(sql`moved`, mover, posting)}),
    summed as (select was_in, sum(amount) as amount, count(*) as lines from moved group by was_in)
    select s.status as outcome, s.currency, count(*)::integer as payouts, sum(s.lines)::integer as lines,
      sum(s.amount)::bigint as amount,
      bool_and(coalesce(summed.amount = s.amount and summed.lines = s.lines, false)) as agrees
    from settled s left join summed on summed.was_in = s.id
    group by s.status, s.currency order by s.status, s.currency`.execute(session.sql);
  const count = done.rows.reduce((sum, row) => sum + row.payouts, 0);
  if (count !== moves.length || done.rows.some((row) => !row.agrees))
    throw new PayrunError('books-adrift', 'A payout is not the sum of its commissions.');
  return done.rows.map(({ agrees: _, ...row }) => row);
}
