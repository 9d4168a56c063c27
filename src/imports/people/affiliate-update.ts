import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { AffiliateRow } from '../../db/tables.ts';
import { showId } from '../../ids.ts';
import type { Mover } from '../../ledger/journal.ts';
import { formatPercent } from '../../money.ts';
import type { Columns } from '../columns.ts';
import type { AffiliateField } from './affiliate-row.ts';
import { listedChanges } from './people-stage.ts';

/**
 * Brings the affiliates that differ from their rows up to date, and the names they go by. A column that the file has
 * not leaves its field alone; an empty cell clears it, but for name and status. Returns how many were updated, and a
 * sentence about each of the first ones.
 */
export async function updateAffiliates(
  session: Session,
  mover: Mover,
  columns: Columns<AffiliateField>,
): Promise<{ updated: number; changes: string[] }> {
  const { accountId, now } = mover;
  const wanted = (field: AffiliateField, column: string): RawBuilder<unknown> =>
    columns.has(field) ? sql.ref(`s.${column}`) : sql.ref(`a.${column}`);
  const after = sql`coalesce(s.name, a.name), ${wanted('email', 'email')}, ${wanted('short_code', 'short_code')},
    coalesce(s.status, a.status), ${wanted('commission_override', 'override_ppm')},
    ${wanted('payout_method', 'payout_method')}, ${wanted('payout_destination', 'payout_destination')}`;
  const changed = await sql<Change>`/* imports.affiliates.update */
    with moved as (
      update affiliate a
      set (name, email, short_code, status, override_ppm, payout_method, payout_destination, updated_at)
        = row(${after}, ${now}::timestamptz)
      from staged_affiliate s join affiliate was on was.account_id = ${accountId} and was.ref = s.ref
      where a.account_id = ${accountId} and a.id = was.id
        and (a.name, a.email, a.short_code, a.status, a.override_ppm, a.payout_method, a.payout_destination)
          is distinct from (${after})
      returning s.n, a.id, a.ref, a.name, a.email, a.short_code, a.status, a.override_ppm, a.payout_method,
        s.email_folded, s.short_code_folded, was.name as was_name, was.email as was_email, was.short_code as was_short_code,
        was.status as was_status, was.override_ppm as was_override_ppm, was.payout_method as was_payout_method,
        was.email is distinct from a.email as email_changed,
        was.payout_destination is distinct from a.payout_destination as destination_changed
    ),
    gone as (
      delete from affiliate_key k using moved m
      where k.account_id = ${accountId} and k.affiliate_id = m.id and k.exact in (m.was_email, m.was_short_code)
        and k.exact not in (m.id::text, m.ref, coalesce(m.email, ''), coalesce(m.short_code, ''))
    ),
    come as (
      insert into affiliate_key (account_id, folded, exact, affiliate_id)
      select distinct ${accountId}::integer, key.folded, key.exact, m.id
      from moved m
      cross join lateral (values (m.short_code_folded, m.short_code), (m.email_folded, m.email)) key (folded, exact)
      where key.folded is not null
      on conflict do nothing
    )
    select id, ref, name, short_code, status, override_ppm, payout_method, was_name, was_short_code, was_status,
      was_override_ppm, was_payout_method, email_changed, destination_changed, (count(*) over ())::integer as rows
    from moved order by n limit ${listedChanges}`.execute(session.sql);
  return { updated: changed.rows[0]?.rows ?? 0, changes: changed.rows.map(sentenceOf) };
}

/** An affiliate before and after. */
interface Change
  extends Pick<AffiliateRow, 'id' | 'ref' | 'name' | 'short_code' | 'status' | 'override_ppm'> {
  /** How many affiliates were updated in all. */
  rows: number;
  payout_method: string | null;
  was_name: string;
  was_short_code: string | null;
  was_status: string;
  was_override_ppm: number | null;
  was_payout_method: string | null;
  email_changed: boolean;
  destination_changed: boolean;
}

/** Says what changed; of e-mail addresses and the payout destination only that they did. */
function sentenceOf(change: Change): string {
  const percent = (ppm: number | null) => (ppm === null ? null : `${formatPercent(ppm)} %`);
  const moves: [what: string, was: string | null, is: string | null][] = [
    ['name', change.was_name, change.name],
    ['short code', change.was_short_code, change.short_code],
    ['status', change.was_status, change.status],
    ['commission override', percent(change.was_override_ppm), percent(change.override_ppm)],
    ['payout method', change.was_payout_method, change.payout_method],
  ];
  const parts = moves
    .filter(([, was, is]) => was !== is)
    .map(([what, was, is]) =>
      `${was}${is}`.includes('@') ? `${what} changed` : `${what} ${was ?? 'none'} -> ${is ?? 'none'}`,
    );
  if (change.email_changed) parts.push('e-mail changed');
  if (change.destination_changed) parts.push('payout destination changed');
  const isAddress = change.ref.includes('@');
  return `affiliate ${isAddress ? showId('affiliate', change.id) : change.ref}: ${parts.join('; ')}`;
}
