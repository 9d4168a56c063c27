import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { PricedSales } from './price.ts';

/** Whether a staged row has the id of a refund; refunds and sales share their ids, but no unique key spans both. */
export async function namesRefund(session: Session, accountId: number): Promise<boolean> {
  const found = await sql`/* ledger.record.refund_ids */
    select from stage s cross join lateral (
      select id from refund where account_id = ${accountId} and external_id = s.external_id limit 1
    ) r where exists (select from refund where account_id = ${accountId}) limit 1`.execute(session.sql);
  return found.rows.length > 0;
}

/** Whether an event of another type has the id of one of `sales`; one that this import has recorded as well. */
export async function namesEvent(
  session: Session,
  accountId: number,
  { query }: Pick<PricedSales, 'query'>,
): Promise<boolean> {
  const found = await sql`/* ledger.record.event_ids */
    select from (${query}) s cross join lateral (
      select id from event where account_id = ${accountId} and external_event_id = s.external_id limit 1
    ) e where exists (select from event where account_id = ${accountId}) limit 1`.execute(session.sql);
  return found.rows.length > 0;
}
