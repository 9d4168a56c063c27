import type { Selectable } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { PayoutRow, Tables } from '../../db/tables.ts';
import { type Balances, readBalances } from '../balances.ts';
import { type LeftOut, readLeftOut } from './left-out.ts';
import { theRowOf } from './rows.ts';

/** An affiliate, what the journal says of it, and why it was not paid the last times. */
export interface AffiliateStory {
  affiliate: Selectable<Tables['affiliate']>;
  balances: Balances[];
  /** The latest payouts, newest first. */
  payouts: PayoutRow[];
  leftOut: LeftOut[];
  /** The refs of the account's programmes, and when they pay. */
  programs: Selectable<Tables['program']>[];
}

const shown = 5;

/** Reads the story of the affiliate `id`, which exists. To be called in a snapshot. */
export async function readAffiliate(
  session: Session,
  accountId: number,
  id: string,
): Promise<AffiliateStory> {
  return {
    affiliate: await theRowOf(session, accountId, 'affiliate', id),
    balances: await readBalances(session, accountId, id),
    payouts: await session.sql
      .selectFrom('payout')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('affiliate_id', '=', id)
      .orderBy('id', 'desc')
      .limit(shown)
      .execute(),
    leftOut: await readLeftOut(session, accountId, id, shown),
    programs: await session.sql
      .selectFrom('program')
      .selectAll()
      .where('account_id', '=', accountId)
      .orderBy('ref')
      .execute(),
  };
}
