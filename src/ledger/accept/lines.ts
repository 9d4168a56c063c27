import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { CommissionStatus } from '../../db/tables.ts';

/** A commission, reversal or correction of a sale; `amount` in minor units. */
export interface Line {
  id: string;
  affiliate: string;
  amount: bigint;
  currency: string;
  status: CommissionStatus;
}

/** The commissions of the given sales and everything that takes from them or adds to them. */
export async function readFamily(session: Session, accountId: number, sales: string[]): Promise<Line[]> {
  const rows = await sql<Line>`/* ledger.accept.lines */
    select m.id, a.ref as affiliate, m.amount, m.currency, m.status
    from commission m join affiliate a on a.account_id = ${accountId} and a.id = m.affiliate_id
    where m.account_id = ${accountId} and (m.id = any(${sales}::uuid[]) or m.reverses = any(${sales}::uuid[]))
    order by m.id`.execute(session.sql);
  return rows.rows;
}
