import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { LeftOutReason, ProgramRow } from '../db/tables.ts';
import { type Claim, claim } from '../ledger/claim.ts';
import type { Mover } from '../ledger/journal.ts';
import { latestClosedPeriod, type PayoutPeriod, periodLabel } from './period.ts';

/** What was prepared for one programme; amounts in minor units. */
export interface Preparation extends Claim {
  program: string;
  period: PayoutPeriod;
  periodLabel: string;
  /** What its batches are born as. */
  status: 'draft' | 'approved';
  /** The first of those left out, by ref. */
  named: { affiliate: string; currency: string; amount: bigint; reason: LeftOutReason }[];
}

/** How many of those left out are named; the table left_out has them all. */
const namedAtMost = 50;

/**
 * Prepares the payouts of every programme of the account, each for its latest period that is closed at `asOf`; of the
 * retired ones, by the settings that the database has, those where something is still owed. Raises `state` when
 * commissions keep being moved by others meanwhile.
 */
export async function preparePrograms(
  session: Session,
  mover: Mover,
  { asOf, preparedBy }: { asOf: Date; preparedBy: string },
): Promise<Preparation[]> {
  const programs = await programsToPay(session, mover.accountId);
  const prepared: Preparation[] = [];
  for (const program of programs) {
    const zone = program.timezone;
    const period = latestClosedPeriod({
      every: program.payout_every,
      netDays: program.payout_net_days,
      zone,
      asOf,
    });
    const claimed = await claim(session, mover, {
      program,
      periodStart: period.start,
      periodEnd: period.end,
      preparedBy,
    });
    const named = claimed.leftOut.length === 0 ? [] : await nameLeftOut(session, mover, program.id);
    prepared.push({
      ...claimed,
      program: program.ref,
      period,
      periodLabel: periodLabel(period, zone),
      status: program.payout_approval === 'automatic' ? 'approved' : 'draft',
      named,
    });
  }
  return prepared;
}

async function programsToPay(session: Session, accountId: number): Promise<ProgramRow[]> {
  // An array, because the planner then reads what is ready once, and not at all where no programme is retired.
  const owing = sql<string>`any(array(select distinct program_id from commission
    where account_id = ${accountId} and status = 'ready_for_payment' and payout_id is null))`;
  return session.sql
    .selectFrom('program')
    .selectAll()
    .where('account_id', '=', accountId)
    .where(({ or, eb }) => or([eb('retired', '=', false), eb('id', '=', owing)]))
    .orderBy(sql`ref collate "C"`)
    .execute();
}

async function nameLeftOut(session: Session, mover: Mover, programId: string): Promise<Preparation['named']> {
  return session.sql
    .selectFrom('left_out')
    .innerJoin('affiliate', (join) =>
      join
        .onRef('affiliate.account_id', '=', 'left_out.account_id')
        .onRef('affiliate.id', '=', 'left_out.affiliate_id'),
    )
    .select(['affiliate.ref as affiliate', 'left_out.currency', 'left_out.amount', 'left_out.reason'])
    .where('left_out.account_id', '=', mover.accountId)
    .where('left_out.run_id', '=', mover.runId)
    .where('left_out.program_id', '=', programId)
    .orderBy(sql`affiliate.ref collate "C"`)
    .orderBy('left_out.currency')
    .limit(namedAtMost)
    .execute();
}
