import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';

/** The affiliates who are not active and for whom the journal has something that would otherwise move, by UUID. */
export interface AffiliatesHeld {
  /** Something of theirs is ready, in no payout. */
  ready: string[];
  /** They are banned, and something of theirs is pending or awaits approval. */
  early: string[];
}

/**
 * Found by the journal, which has a line a run where there are thousands of commissions, so that these are read only
 * where there is something to find.
 */
export async function affiliatesHeld(session: Session, accountId: number): Promise<AffiliatesHeld> {
  const found = await sql<{ id: string; ready: boolean; early: boolean }>`/* ledger.held.affiliates */
    select a.id, has.ready, has.early and a.status = 'banned' as early
    from affiliate a cross join lateral (
      select ${isLeft(sql`('ready')`)} as ready, ${isLeft(sql`('pending', 'awaiting')`)} as early
      from posting where account_id = ${accountId} and affiliate_id = a.id
    ) has
    where a.account_id = ${accountId} and a.status <> 'active' and (has.ready or has.early)`.execute(
    session.sql,
  );
  return {
    ready: found.rows.filter((row) => row.ready).map((row) => row.id),
    early: found.rows.filter((row) => row.early).map((row) => row.id),
  };
}

/** Whether accounts of the journal hold lines; those may come to nothing, as what is taken back in full does. */
function isLeft(accounts: RawBuilder<unknown>): RawBuilder<unknown> {
  const balance = (
    column: 'amount' | 'lines',
  ) => sql`coalesce(sum(case when to_account in ${accounts} then ${sql.ref(column)} else 0 end)
    - sum(case when from_account in ${accounts} then ${sql.ref(column)} else 0 end), 0)`;
  return sql`(${balance('amount')} <> 0 or ${balance('lines')} <> 0)`;
}

/**
 * A query of the lines that are held at `asOf`, each once: id, affiliate_id, currency, amount, reason, and since when.
 * It begins at what holds them up, of which there is little, and not at the commissions.
 */
export function heldLines(
  accountId: number,
  asOf: Date,
  { ready, early }: AffiliatesHeld,
): RawBuilder<unknown> {
  const columns = sql`m.id, m.affiliate_id, m.currency, m.amount`;
  const unpaid = sql`m.payout_id is null and m.hold_until <= ${asOf}::timestamptz`;
  const ofAffiliates = (affiliates: string[], status: string) => sql`
    select ${columns}, 'affiliate_' || a.status, m.hold_until, 2
    from commission m
    join affiliate a on a.account_id = ${accountId} and a.id = m.affiliate_id
    where m.account_id = ${accountId} and m.status = ${sql.lit(status)} and ${unpaid}
      and m.affiliate_id = any(${affiliates}::uuid[])`;
  const parts = [
    disputedLines(accountId, columns, unpaid),
    sql`
    select ${columns}, 'sale_' || c.sales_status, m.hold_until, 3
    from conversion c cross join lateral (
      select * from commission where account_id = ${accountId} and id = c.id limit 1
    ) m
    where c.account_id = ${accountId} and c.sales_status in ('open', 'trialing') and m.status = 'pending' and ${unpaid}`,
    ...(ready.length > 0 ? [ofAffiliates(ready, 'ready_for_payment')] : []),
    ...(early.length > 0
      ? [ofAffiliates(early, 'pending'), ofAffiliates(early, 'pending_manual_approval')]
      : []),
  ];
  return sql`
    select distinct on (id) id, affiliate_id, currency, amount, reason, since
    from (${sql.join(parts, sql` union all `)}) found (id, affiliate_id, currency, amount, reason, since, place)
    order by id, place`;
}

/** What has been decided before the dispute was opened, by being in a payout, is not held by it. */
function disputedLines(
  accountId: number,
  columns: RawBuilder<unknown>,
  unpaid: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return sql`
    select ${columns}, 'open_dispute', greatest(m.hold_until, d.opened_at), 1
    from (
      select conversion_id, min(opened_at) as opened_at from dispute
      where account_id = ${accountId} and status = 'open' group by conversion_id
    ) d
    cross join lateral (
      select payout_id from commission where account_id = ${accountId} and id = d.conversion_id limit 1
    ) o
    cross join lateral (
      (select * from commission where account_id = ${accountId} and id = d.conversion_id limit 1)
      union all
      select * from commission where account_id = ${accountId} and reverses = d.conversion_id
    ) m
    where o.payout_id is null and m.status in ('pending', 'pending_manual_approval', 'ready_for_payment') and ${unpaid}`;
}
