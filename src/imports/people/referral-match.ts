import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { affiliateNamed } from '../../ledger/record/attribution.ts';
import { referralIdentifiers } from './referral-row.ts';

/** The table of what `matchReferrals` found: the affiliate and, unless new, the referral of each row, or its fault. */
export const matchTable = `
  drop table if exists pg_temp.referral_match;
  create temp table referral_match (n integer not null, line integer not null, affiliate_id uuid, referral_id uuid,
    code text, field text, found text) on commit drop`;

/**
 * Finds the affiliate that each staged row names, and its referral: by ref, customer id, external user id or click
 * id, in that order, else by e-mail under that affiliate. A row is at fault when a referral that it names belongs to
 * another affiliate, when its identifiers belong to several, or when an earlier row of the file names the same one.
 */
export async function matchReferrals(session: Session, accountId: number): Promise<void> {
  await sql`/* imports.referrals.match */
    with named as materialized (${affiliateNamed(
      accountId,
      sql`select distinct affiliate as folded, affiliate_exact as exact from staged_referral where affiliate is not null`,
    )}),
    attributed as materialized (
      select s.n, s.line, s.affiliate_exact, s.email_folded, named.affiliate_id,
        case when named.folded is null then 'affiliate-unknown' when named.affiliate_id is null then 'affiliate-ambiguous' end as code
      from staged_referral s
      left join named on named.folded = s.affiliate and named.exact = s.affiliate_exact
    ),
    identified as materialized (${identified(accountId)}),
    first as materialized (select distinct on (n) n, id from identified order by n, rank),
    by_mail as materialized (
      select distinct on (a.n) a.n, r.id
      from attributed a
      join referral r on r.account_id = ${accountId} and r.email_folded = a.email_folded and r.affiliate_id = a.affiliate_id
      where not exists (select from first where first.n = a.n)
      order by a.n, r.created_at, r.id
    ),
    taken as materialized (
      select distinct on (i.n) i.n, i.field,
        case when i.id = first.id then 'referral-of-another' else 'identifier-taken' end as code,
        case when i.id = first.id then '"' || i.value || '" belongs to affiliate "' || owner.ref || '"' else i.value end as found
      from identified i join first on first.n = i.n join attributed a on a.n = i.n
      join affiliate owner on owner.account_id = ${accountId} and owner.id = i.affiliate_id
      where i.id <> first.id or i.affiliate_id <> a.affiliate_id
      order by i.n, i.rank
    ),
    judged as materialized (
      select a.n, a.line, a.affiliate_id, coalesce(first.id, by_mail.id) as referral_id,
        coalesce(a.code, taken.code) as code,
        case when a.code is null then taken.field else 'affiliate' end as field,
        case when a.code is null then taken.found else a.affiliate_exact end as found
      from attributed a
      left join first on first.n = a.n
      left join by_mail on by_mail.n = a.n
      left join taken on taken.n = a.n
    ),
    mention as (${mentions()}),
    double as materialized (
      select distinct on (n) n, nullif(field, 'referral') as field, 'line ' || first_line as found
      from (
        select n, rank, field, is_known, first_value(line) over same as first_line, row_number() over same as occurrence
        from mention window same as (partition by field, value order by n)
      ) m
      where occurrence > 1 and not (field = 'email' and is_known)
      order by n, rank
    )
    insert into referral_match (n, line, affiliate_id, referral_id, code, field, found)
    select j.n, j.line, j.affiliate_id, j.referral_id,
      coalesce(j.code, case when double.n is not null then 'referral-double' end),
      coalesce(j.field, double.field), coalesce(j.found, double.found)
    from judged j left join double on double.n = j.n`.execute(session.sql);
  await session.client.query('analyze referral_match');
}

/** The referrals that the staged rows' identifiers belong to: one row for each identifier that is known. */
function identified(accountId: number): RawBuilder<unknown> {
  const each = referralIdentifiers.map(
    (field, rank) => sql`
      select s.n, ${sql.lit(rank)} as rank, ${sql.lit(field)} as field, s.${sql.ref(field)} as value, r.id, r.affiliate_id
      from staged_referral s
      join referral r on r.account_id = ${accountId} and r.${sql.ref(field)} = s.${sql.ref(field)}`,
  );
  return sql.join(each, sql` union all `);
}

/**
 * By what each sound row names its referral, so that two rows of one referral meet. An e-mail address counts under
 * its affiliate, and says nothing about a row whose referral is known.
 */
function mentions(): RawBuilder<unknown> {
  const each = referralIdentifiers.map(
    (field, rank) => sql`
      select j.n, j.line, ${sql.lit(rank)} as rank, ${sql.lit(field)} as field, s.${sql.ref(field)} as value,
        j.referral_id is not null as is_known
      from judged j join staged_referral s on s.n = j.n where j.code is null and s.${sql.ref(field)} is not null`,
  );
  each.push(sql`
      select j.n, j.line, 8, 'email', j.affiliate_id || ' ' || s.email_folded, j.referral_id is not null
      from judged j join staged_referral s on s.n = j.n where j.code is null and s.email_folded is not null`);
  each.push(sql`
      select n, line, 9, 'referral', referral_id::text, true from judged where code is null and referral_id is not null`);
  return sql.join(each, sql` union all `);
}
