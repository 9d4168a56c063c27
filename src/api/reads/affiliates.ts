import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../db/connect.ts';
import type { AffiliateRow, AffiliateStatus } from '../../db/tables.ts';
import { readId } from '../../ids.ts';
import { fold } from '../../ledger/stage.ts';
import type { NumberedPage } from './commissions.ts';
import type { Moments } from './moments.ts';

type Sql = Pick<Db, 'sql'>;

export type AffiliateView = Omit<AffiliateRow, 'account_id'>;

export interface AffiliateFilter extends Moments {
  statuses?: AffiliateStatus[] | undefined;
  /** A part of name, ref, short code or e-mail address, without regard to case. */
  search?: string | undefined;
}

const columns = sql`id, ref, name, email, short_code, status, override_ppm, payout_method, payout_destination, created_at, updated_at`;

/** The affiliates of these ids, in any order; unknown ones and those of other accounts are left out. */
export async function affiliatesOf(
  { sql: db }: Sql,
  accountId: number,
  ids: string[],
): Promise<AffiliateView[]> {
  const rows = await sql<AffiliateView>`/* api.affiliates.of */
    select ${columns} from affiliate where account_id = ${accountId} and id = any(${ids}::uuid[])`.execute(
    db,
  );
  return rows.rows;
}

/**
 * The ids of the affiliates that go by a name: id, ref, short code or e-mail address; those that are spelt exactly like
 * it, if any are.
 */
export async function affiliatesNamed({ sql: db }: Sql, accountId: number, name: string): Promise<string[]> {
  const read = readId(name);
  if (read) return read.noun === undefined || read.noun === 'affiliate' ? [read.id] : [];
  const exact = name.trim().normalize('NFC');
  const rows = await sql<{ affiliate_id: string }>`/* api.affiliates.named */
    select distinct affiliate_id from (
      select affiliate_id, rank() over (order by (exact = ${exact}) desc) as place
      from affiliate_key where account_id = ${accountId} and folded = ${fold(exact)}
    ) named where place = 1`.execute(db);
  return rows.rows.map((row) => row.affiliate_id);
}

/** A page of affiliates by when they were created, and how many there are. */
export async function pageOfAffiliates(
  { sql: db }: Sql,
  accountId: number,
  filter: AffiliateFilter,
  { page, limit, order }: NumberedPage,
): Promise<{ rows: AffiliateView[]; total: number }> {
  const chosen = sql`from affiliate where ${sql.join(conditionsOf(accountId, filter), sql` and `)}`;
  const direction = sql.raw(order);
  const [rows, counted] = await Promise.all([
    sql<AffiliateView>`/* api.affiliates.page */
      select ${columns} ${chosen} order by created_at ${direction}, id ${direction}
      limit ${limit} offset ${(page - 1) * limit}`.execute(db),
    sql<{ total: number }>`/* api.affiliates.count */ select count(*)::integer as total ${chosen}`.execute(
      db,
    ),
  ]);
  return { rows: rows.rows, total: counted.rows[0]!.total };
}

function conditionsOf(accountId: number, filter: AffiliateFilter): RawBuilder<unknown>[] {
  const { statuses, search, from, to, before } = filter;
  const parts = [sql`account_id = ${accountId}`];
  if (statuses) parts.push(sql`status = any(${statuses})`);
  if (search !== undefined)
    parts.push(
      sql`strpos(lower(concat_ws(' ', name, ref, short_code, email)), lower(${search.normalize('NFC')})) > 0`,
    );
  if (from) parts.push(sql`created_at >= ${from}`);
  if (to) parts.push(sql`created_at <= ${to}`);
  if (before) parts.push(sql`created_at < ${before}`);
  return parts;
}
