import { sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import type { Moments } from './moments.ts';

/** An entry with its contact; amounts are minor units. */
export interface EntryView {
  id: string;
  program_id: string;
  program_ref: string;
  source_id: string;
  contact_id: string;
  amount: bigint | null;
  currency: string;
  expense: bigint | null;
  occurred_at: Date;
  created_at: Date;
  email: string | null;
  first_name: string | null;
  last_name: string | null;
  /** The ref of the affiliate who is credited; null while nobody is. */
  affiliate_ref: string | null;
}

export interface EntryFilter extends Moments {
  id?: string | undefined;
  programId?: string | undefined;
}

/** A page of entries by when they occurred, and how many there are. */
export async function pageOfEntries(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  { id, programId, from, to, before }: EntryFilter,
  { page, limit, order }: { page: number; limit: number; order: 'asc' | 'desc' },
): Promise<{ rows: EntryView[]; total: number }> {
  const parts = [sql`e.account_id = ${accountId}`];
  if (id !== undefined) parts.push(sql`e.id = ${id}::uuid`);
  if (programId !== undefined) parts.push(sql`e.program_id = ${programId}::uuid`);
  if (from) parts.push(sql`e.occurred_at >= ${from}`);
  if (to) parts.push(sql`e.occurred_at <= ${to}`);
  if (before) parts.push(sql`e.occurred_at < ${before}`);
  const chosen = sql`from conversion_entry e where ${sql.join(parts, sql` and `)}`;
  const direction = sql.raw(order);
  const sorted = sql`order by e.occurred_at ${direction}, e.id ${direction}`;
  const [rows, counted] = await Promise.all([
    sql<EntryView>`/* api.entries.page */
      with e as materialized (select e.* ${chosen} ${sorted} limit ${limit} offset ${(page - 1) * limit})
      select e.*, p.ref as program_ref, c.email, c.first_name, c.last_name, a.ref as affiliate_ref
      from e
      join program p on p.account_id = ${accountId} and p.id = e.program_id
      join contact c on c.account_id = ${accountId} and c.id = e.contact_id
      left join conversion s on s.account_id = ${accountId} and s.id = e.conversion_id
      left join affiliate a on a.account_id = ${accountId} and a.id = s.affiliate_id
      ${sorted}`.execute(db),
    sql<{ total: number }>`/* api.entries.count */ select count(*)::integer as total ${chosen}`.execute(db),
  ]);
  return { rows: rows.rows, total: counted.rows[0]!.total };
}
