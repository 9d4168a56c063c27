import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { ReferralStatus } from '../../db/tables.ts';
import { newIdPrefix, showId } from '../../ids.ts';
import type { Mover } from '../../ledger/journal.ts';
import { plannedForMany } from '../../ledger/statistics.ts';
import { findColumns, type Mapping } from '../columns.ts';
import type { CsvFile } from '../files/records.ts';
import { warningOf } from '../landing.ts';
import { Noted, warningAt } from '../noted.ts';
import { listedChanges, type PeopleStep, rowReader, type Settled } from './people-stage.ts';
import { matchReferrals, matchTable } from './referral-match.ts';
import { referralColumns, referralFields, referralReader } from './referral-row.ts';

const uniqueViolation = '23505';

/** How a CSV of referrals is read and settled. Raises `file-refused` when it has no column `affiliate`. */
export function referralStep(
  csv: CsvFile,
  options: { file: { shown: string }; programId: string; timezone: string; mapping: Mapping },
  now: Date,
): PeopleStep {
  const place = { file: options.file.shown, line: csv.headerLine };
  const { mapping } = options;
  const layout = { fields: referralFields, required: ['affiliate'] as const, mapping, namesAreFixed: true };
  const columns = findColumns(csv.header, layout, place);
  const timesThatComeTwice = new Noted();
  return {
    table: 'staged_referral',
    columns: referralColumns,
    columnsUsed: new Set(columns.values()),
    fields: referralFields,
    read: rowReader(csv.header, columns, referralReader(options.timezone, now, timesThatComeTwice)),
    async settle(session, mover) {
      const settled = await plannedForMany(session, () => settle(session, mover, options.programId));
      const twice = warningAt(
        timesThatComeTwice,
        'time comes twice that night; the earlier was taken',
        'times come twice in their night; the earlier was taken',
      );
      return { ...settled, warnings: [...twice, ...settled.warnings] };
    },
  };
}

/**
 * The unique keys decide who an identifier belongs to: when another transaction commits one of ours in between, the
 * rows are matched again, now seeing it. Each repetition is caused by another committed transaction, so it ends.
 */
async function settle(session: Session, mover: Mover, programId: string): Promise<Settled> {
  await session.client.query(matchTable);
  for (;;) {
    await session.client.query('savepoint referrals');
    try {
      const settled = await settleOnce(session, mover, programId);
      await session.client.query('release savepoint referrals');
      return settled;
    } catch (cause) {
      if ((cause as { code?: string }).code !== uniqueViolation) throw cause;
      await session.client.query('rollback to savepoint referrals');
    }
  }
}

async function settleOnce(session: Session, mover: Mover, programId: string): Promise<Settled> {
  await matchReferrals(session, mover.accountId);
  await sql`/* imports.referrals.refuse */
    insert into outcome (n, line, verdict, code, field, found)
    select n, line, 'rejected', code, field, found from referral_match where code is not null`.execute(
    session.sql,
  );
  const changed = await update(session, mover);
  const updated = changed[0]?.rows ?? 0;
  const { known, differing, line } = await countKnown(session, mover);
  const recorded = await introduce(session, mover, programId);
  return {
    recorded,
    updated,
    duplicates: known - updated,
    changes: changed.map(sentenceOf),
    warnings: warningOf(
      differing,
      `row gives another identifier or e-mail than its referral has (line ${line}); the referral’s own was kept`,
      `rows give another identifier or e-mail than their referrals have (first on line ${line}); the referrals’ own were kept`,
    ),
  };
}

async function introduce(session: Session, { accountId, now }: Mover, programId: string): Promise<number> {
  const added = await sql<{ rows: number }>`/* imports.referrals.introduce */
    with added as (
      insert into referral (account_id, id, program_id, affiliate_id, ref, customer_id, external_user_id, click_id,
        email, email_folded, status, created_at)
      select ${accountId}::integer, (${newIdPrefix(now)} || lpad(to_hex(s.n), 10, '0'))::uuid, ${programId}::uuid,
        m.affiliate_id, s.ref, s.customer_id, s.external_user_id, s.click_id, s.email, s.email_folded,
        coalesce(s.status, 'lead'), coalesce(s.created_at, ${now}::timestamptz)
      from referral_match m join staged_referral s on s.n = m.n
      where m.code is null and m.referral_id is null order by s.n
      returning id
    )
    select count(*)::integer as rows from added`.execute(session.sql);
  return added.rows[0]!.rows;
}

interface Change {
  /** How many referrals were updated in all. */
  rows: number;
  id: string;
  was_status: ReferralStatus;
  status: ReferralStatus;
  added: string[];
}

/**
 * Fills the identifiers that known referrals lack, and moves their status: up, except that canceled and rejected are
 * set, and left, because the file says so. Returns the first of those that changed.
 */
async function update(session: Session, { accountId }: Mover): Promise<Change[]> {
  const rank = (status: string) =>
    sql`array_position(array['lead', 'trialing', 'customer', 'active'], ${sql.ref(status)})`;
  const status = sql`case
    when s.status in ('canceled', 'rejected') or r.status in ('canceled', 'rejected') then coalesce(s.status, r.status)
    when ${rank('s.status')} > ${rank('r.status')} then s.status
    else r.status end`;
  const after = sql`coalesce(r.ref, s.ref), coalesce(r.customer_id, s.customer_id),
    coalesce(r.external_user_id, s.external_user_id), coalesce(r.click_id, s.click_id),
    coalesce(r.email, s.email), coalesce(r.email_folded, s.email_folded), ${status}`;
  const changed = await sql<Change>`/* imports.referrals.update */
    with moved as (
      update referral r
      set (ref, customer_id, external_user_id, click_id, email, email_folded, status) = row(${after})
      from referral_match m
      join staged_referral s on s.n = m.n
      join referral was on was.account_id = ${accountId} and was.id = m.referral_id
      where r.account_id = ${accountId} and r.id = was.id and m.code is null
        and (r.ref, r.customer_id, r.external_user_id, r.click_id, r.email, r.email_folded, r.status) is distinct from (${after})
      returning s.n, r.id, was.status as was_status, r.status,
        array_remove(array[
          case when was.ref is null and r.ref is not null then 'ref' end,
          case when was.customer_id is null and r.customer_id is not null then 'customer_id' end,
          case when was.external_user_id is null and r.external_user_id is not null then 'external_user_id' end,
          case when was.click_id is null and r.click_id is not null then 'click_id' end,
          case when was.email is null and r.email is not null then 'e-mail' end], null) as added
    )
    select id, was_status, status, added, (count(*) over ())::integer as rows
    from moved order by n limit ${listedChanges}`.execute(session.sql);
  return changed.rows;
}

/** The sound rows of known referrals, and those of them that give an identifier other than the referral's own. */
async function countKnown(
  session: Session,
  { accountId }: Mover,
): Promise<{ known: number; differing: number; line: number | null }> {
  const counted = await sql<{ known: number; differing: number; line: number | null }>`
    /* imports.referrals.known */
    select count(*)::integer as known, (count(*) filter (where differs))::integer as differing,
      min(line) filter (where differs) as line
    from (
      select m.line, s.ref <> r.ref or s.customer_id <> r.customer_id or s.external_user_id <> r.external_user_id
        or s.click_id <> r.click_id or s.email_folded <> r.email_folded as differs
      from referral_match m
      join staged_referral s on s.n = m.n
      join referral r on r.account_id = ${accountId} and r.id = m.referral_id
      where m.code is null
    ) known`.execute(session.sql);
  return counted.rows[0]!;
}

function sentenceOf({ id, was_status, status, added }: Change): string {
  const parts = added.map((name) => `${name} added`);
  if (status !== was_status) parts.unshift(`status ${was_status} -> ${status}`);
  return `referral ${showId('referral', id)}: ${parts.join('; ')}`;
}
