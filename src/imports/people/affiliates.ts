import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { newIdPrefix } from '../../ids.ts';
import { declineBanned } from '../../ledger/decline.ts';
import type { Mover } from '../../ledger/journal.ts';
import { plannedForMany } from '../../ledger/statistics.ts';
import { type Columns, findColumns, type Mapping } from '../columns.ts';
import type { CsvFile } from '../files/records.ts';
import { warningOf } from '../landing.ts';
import { type AffiliateField, affiliateColumns, affiliateFields, readAffiliate } from './affiliate-row.ts';
import { updateAffiliates } from './affiliate-update.ts';
import { type PeopleStep, rowReader, type Settled } from './people-stage.ts';

/**
 * How a CSV of affiliates is read and settled. Raises `file-refused` when ref or name has no column, or only one of
 * payout_method and payout_destination has, because either means nothing without the other.
 */
export function affiliateStep(csv: CsvFile, shown: string, mapping: Mapping): PeopleStep {
  const columns = columnsOf(csv, shown, mapping);
  return {
    table: 'staged_affiliate',
    columns: affiliateColumns,
    columnsUsed: new Set(columns.values()),
    fields: affiliateFields,
    read: rowReader(csv.header, columns, readAffiliate),
    settle: (session, mover) => settle(session, mover, columns),
  };
}

function columnsOf(csv: CsvFile, shown: string, mapping: Mapping): Columns<AffiliateField> {
  const place = { file: shown, line: csv.headerLine };
  const required: AffiliateField[] = ['ref', 'name'];
  const layout = { fields: affiliateFields, required, mapping, namesAreFixed: true };
  const columns = findColumns(csv.header, layout, place);
  if (columns.has('payout_method') === columns.has('payout_destination')) return columns;
  required.push('payout_method', 'payout_destination');
  return findColumns(csv.header, layout, place);
}

async function settle(session: Session, mover: Mover, columns: Columns<AffiliateField>): Promise<Settled> {
  const taken = await plannedForMany(session, () => takeIn(session, mover, columns));
  const declined = await declineBanned(session, mover);
  return {
    ...taken,
    warnings: warningOf(
      declined,
      'commission of a banned affiliate was declined',
      'commissions of banned affiliates were declined',
    ),
  };
}

async function takeIn(
  session: Session,
  mover: Mover,
  columns: Columns<AffiliateField>,
): Promise<Omit<Settled, 'warnings'>> {
  await refuseNameless(session, mover);
  await refuseDoubles(session);
  const recorded = await introduce(session, mover);
  const { updated, changes } = await updateAffiliates(session, mover, columns);
  const known = await countKnown(session, mover);
  return { recorded, updated, duplicates: known - updated, changes };
}

/** A name may stay away from a row of an affiliate that has one. */
async function refuseNameless(session: Session, { accountId }: Mover): Promise<void> {
  await sql`/* imports.affiliates.nameless */
    with nameless as (
      delete from staged_affiliate s
      where s.name is null and not exists (select from affiliate a where a.account_id = ${accountId} and a.ref = s.ref)
      returning s.n, s.line
    )
    insert into outcome (n, line, verdict, code, field)
    select n, line, 'rejected', 'required', 'name' from nameless`.execute(session.sql);
}

async function refuseDoubles(session: Session): Promise<void> {
  await sql`/* imports.affiliates.doubles */
    with numbered as (
      select n, row_number() over (partition by ref order by n) as occurrence from staged_affiliate
    ),
    later as (
      delete from staged_affiliate s using numbered where numbered.n = s.n and numbered.occurrence > 1
      returning s.n, s.line, s.ref
    )
    insert into outcome (n, line, verdict, code, field, found)
    select n, line, 'rejected', 'ref-double', 'ref', ref from later`.execute(session.sql);
}

/** Inserts the affiliates that are new, with the names they go by, and takes their rows out of the stage. */
async function introduce(session: Session, { accountId, now }: Mover): Promise<number> {
  const added = await sql<{ rows: number }>`/* imports.affiliates.introduce */
    with added as (
      insert into affiliate (account_id, id, ref, name, email, short_code, status, override_ppm, payout_method,
        payout_destination, created_at, updated_at)
      select ${accountId}::integer, (${newIdPrefix(now)} || lpad(to_hex(n), 10, '0'))::uuid, ref, name, email, short_code,
        coalesce(status, 'active'), override_ppm, payout_method, payout_destination, ${now}::timestamptz, ${now}::timestamptz
      from staged_affiliate where name is not null order by ref collate "C"
      on conflict do nothing
      returning id, ref
    ),
    keys as (
      insert into affiliate_key (account_id, folded, exact, affiliate_id)
      select distinct ${accountId}::integer, key.folded, key.exact, added.id
      from added join staged_affiliate s on s.ref = added.ref
      cross join lateral (values (added.id::text, added.id::text), (s.ref_folded, s.ref),
        (s.short_code_folded, s.short_code), (s.email_folded, s.email)) key (folded, exact)
      where key.exact is not null
    ),
    done as (delete from staged_affiliate s using added where s.ref = added.ref)
    select count(*)::integer as rows from added`.execute(session.sql);
  return added.rows[0]!.rows;
}

async function countKnown(session: Session, { accountId }: Mover): Promise<number> {
  const known = await sql<{ rows: number }>`/* imports.affiliates.known */
    select count(*)::integer as rows
    from staged_affiliate s join affiliate a on a.account_id = ${accountId} and a.ref = s.ref`.execute(
    session.sql,
  );
  return known.rows[0]!.rows;
}
