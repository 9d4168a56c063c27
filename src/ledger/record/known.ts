import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { attributed, hasSameStatus, isUnrefunded } from './attributed.ts';
import type { Batch } from './batch.ts';
import { findCustomers } from './customers.ts';

/**
 * Whether the `count` staged rows are nothing but duplicates: each is a sale that is recorded with the same facts and
 * nothing newer in its status or refunds, and none names another affiliate than its customer's. It takes a fraction of judging them.
 */
export async function areKnown(
  session: Session,
  accountId: number,
  batch: Batch,
  count: number,
): Promise<boolean> {
  if (batch.hasCustomers) await findCustomers(session, accountId);
  const known = await sql<{ rows: number }>`/* ledger.record.known */
    with attributed as (${attributed(batch)})
    select count(*)::integer as rows
    from attributed a
    cross join lateral (
      -- The limit keeps the planner to one look-up a row.
      select fingerprint, sales_status from conversion
      where account_id = ${accountId} and external_id = a.external_id and a.code is null limit 1
    ) c
    where a.other_affiliate is not true and c.fingerprint = a.fingerprint and ${hasSameStatus}
      and ${isUnrefunded} is not true`.execute(session.sql);
  return known.rows[0]!.rows === count;
}

/**
 * Empties the stage of an import if its `count` rows are nothing but duplicates, as those of a file that comes again are,
 * and says whether they were.
 */
export async function passKnown(
  session: Session,
  accountId: number,
  batch: Batch,
  count: number,
): Promise<boolean> {
  await session.client.query('set local enable_nestloop = off');
  const areDuplicates = await areKnown(session, accountId, batch, count);
  await session.client.query(
    `set local enable_nestloop = on${areDuplicates ? '; truncate stage, customer' : ''}`,
  );
  return areDuplicates;
}
