import type { Session } from '../../db/connect.ts';
import type { LeftOutReason } from '../../db/tables.ts';

/** That an affiliate was not paid when payouts were prepared, and why; `amount` in minor units. */
export interface LeftOut {
  runId: string;
  asOf: Date;
  /** When the run began, by the clock. */
  at: Date;
  programId: string;
  currency: string;
  amount: bigint;
  lines: number;
  reason: LeftOutReason;
}

/** The last times that an affiliate was left out, newest first, at most `limit`. */
export async function readLeftOut(
  session: Session,
  accountId: number,
  affiliateId: string,
  limit: number,
): Promise<LeftOut[]> {
  const rows = await session.sql
    .selectFrom('left_out')
    .innerJoin('run', (join) =>
      join.on('run.account_id', '=', accountId).onRef('run.id', '=', 'left_out.run_id'),
    )
    .select([
      'run.id as runId',
      'run.as_of as asOf',
      'run.started_at as at',
      'left_out.program_id as programId',
    ])
    .select(['left_out.currency', 'left_out.amount', 'left_out.lines', 'left_out.reason'])
    .where('left_out.account_id', '=', accountId)
    .where('left_out.affiliate_id', '=', affiliateId)
    .orderBy('run.started_at', 'desc')
    .orderBy('left_out.currency')
    .limit(limit)
    .execute();
  return rows;
}
