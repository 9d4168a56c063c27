import type { Selectable } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Tables } from '../../db/tables.ts';
import { rowOf, theRowOf } from './rows.ts';

type Row<Table extends keyof Tables> = Selectable<Tables[Table]>;

/** An adjustment, its commission, and where that is. */
export interface AdjustmentStory {
  adjustment: Row<'adjustment'>;
  commission: Row<'commission'>;
  affiliate: Row<'affiliate'>;
  program: Row<'program'>;
  /** The run that brought the commission where it is. */
  run: Row<'run'> | undefined;
  payout: Row<'payout'> | undefined;
}

/** Reads the story of the adjustment `id`, which exists. To be called in a snapshot. */
export async function readAdjustment(
  session: Session,
  accountId: number,
  id: string,
): Promise<AdjustmentStory> {
  const adjustment = await theRowOf(session, accountId, 'adjustment', id);
  const commission = await theRowOf(session, accountId, 'commission', id);
  return {
    adjustment,
    commission,
    affiliate: await theRowOf(session, accountId, 'affiliate', adjustment.affiliate_id),
    program: await theRowOf(session, accountId, 'program', adjustment.program_id),
    run: await rowOf(session, accountId, 'run', commission.status_run_id),
    payout: await rowOf(session, accountId, 'payout', commission.payout_id),
  };
}
