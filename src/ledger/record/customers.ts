import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Packet } from '../stage-writer.ts';
import { fingerprint } from './fingerprint.ts';
import type { Rows } from './price.ts';

/** Of the staged rows that name an affiliate and a customer, those whose customer nobody knows. */
export interface Strangers {
  byIdentifier: number;
  /** Rows that have nothing but an e-mail address. */
  byMail: number;
  /** Of all staged rows, those that may tell an identifier of their customer which nobody knows. */
  teaching: number;
}

/** What identifies a customer: columns of the stage beside those of the referral, in the order in which they decide. */
const identifiers: readonly Identifier[] = [
  ['stated_referral_id', 'id'],
  ['referral_ref', 'ref'],
  ['customer_id', 'customer_id'],
  ['external_user_id', 'external_user_id'],
  ['click_id', 'click_id'],
];
type Identifier = readonly [staged: string, known: string];

/**
 * Finds the referral of each staged row that names a customer, and fills the table `customer` anew with them: by referral
 * id (ours or upstream's), customer id, external user id, click id, in that order; else by e-mail, under the row's own
 * affiliate first. A row without affiliate whose e-mail is known under several affiliates is ambiguous. Kinds of
 * identifier that no row has cost nothing.
 */
export async function findCustomers(session: Session, accountId: number): Promise<Strangers> {
  const { kinds, joins, hasMail } = searchOf(accountId, await inStage(session));
  await session.client.query('truncate customer');
  if (hasMail) joins.push(byMail(accountId, kinds));
  if (joins.length === 0) return { byIdentifier: 0, byMail: 0, teaching: 0 };
  const all = hasMail ? [...kinds, ['email_folded', 'email_folded'] as const] : kinds;
  const affiliateId = found(all, 'affiliate_id');
  // Rows that name no affiliate tell nothing, unless they move no money: the money of such a row goes by what is known.
  const teaches = sql`not (${isFoundByFirst(all)}) and ${found(all, 'id')} is not null
    and case when s.name_no is null then s.event_type <> 'conversion' else name.affiliate_id = ${affiliateId} end`;
  const isAmbiguous = sql`${found(kinds, 'id')} is null and by_email_folded.affiliates > 1 and s.name_no is null`;
  const counted = await sql<Strangers>`/* ledger.record.customers */
    with found as materialized (
      select s.n, ${found(all, 'id')} as referral_id, ${affiliateId} as affiliate_id,
        coalesce(${teaches}, false) as teaches,
        ${hasMail ? sql`coalesce(${isAmbiguous}, false)` : sql`false`} as ambiguous, s.name_no,
        coalesce(s.referral_ref, s.customer_id, s.external_user_id, s.click_id) is null as by_mail
      from stage s
      left join name on name.no = s.name_no
      ${sql.join(joins, sql` `)}
      where ${sql.join(
        all.map(([column]) => sql`s.${sql.ref(column)} is not null`),
        sql` or `,
      )}
    ),
    kept as (
      insert into customer (n, referral_id, affiliate_id, ambiguous, teaches)
      select n, referral_id, affiliate_id, ambiguous, teaches from found
    )
    select (count(*) filter (where not by_mail and is_stranger))::integer as "byIdentifier",
      (count(*) filter (where by_mail and is_stranger))::integer as "byMail",
      (count(*) filter (where teaches))::integer as teaching
    from (select *, name_no is not null and referral_id is null as is_stranger from found) found`.execute(
    session.sql,
  );
  return counted.rows[0]!;
}

/**
 * Those rows of a staged packet whose customer is known by the first of the identifiers that they have, so that it is the
 * same whoever else becomes known meanwhile, and belongs to the affiliate that they name, if they name one.
 */
export async function sureRows(
  session: Session,
  accountId: number,
  { columns, count }: Pick<Packet, 'columns' | 'count'>,
): Promise<Rows> {
  const pages = await sql<{ pages: number }>`select ${referralPages} as pages`.execute(session.sql);
  const staged = { columns, rows: count, pages: pages.rows[0]!.pages };
  const { kinds, joins } = searchOf(accountId, staged);
  const affiliateId = found(kinds, 'affiliate_id');
  return {
    join: sql`left join name on name.no = s.name_no ${sql.join([...joins, sql``], sql` `)}`,
    where: sql`where ${isFoundByFirst(kinds)} and (s.name_no is null or name.affiliate_id = ${affiliateId})`,
    affiliateId,
    referralId: found(kinds, 'id'),
    fingerprint: fingerprint(affiliateId),
  };
}

/** What stands in the stage: columns of which any row may have a value, and how many pages its rows are looked up in. */
interface Staged {
  columns: readonly string[];
  rows: number;
  pages: number;
}

const referralPages = sql`(pg_relation_size('referral') / 8192)::integer`;

async function inStage(session: Session): Promise<Staged> {
  const names = [...identifiers.map(([column]) => column), 'email_folded'];
  const filled = names.map((column) => sql`count(${sql.ref(column)})::integer as ${sql.ref(column)}`);
  const found = await sql<Record<string, number>>`/* ledger.record.staged */
    select count(*)::integer as rows, ${referralPages} as pages, ${sql.join(filled)} from stage`.execute(
    session.sql,
  );
  const { rows, pages, ...counts } = found.rows[0]! as Record<'rows' | 'pages', number>;
  const columns = Object.entries<number>(counts).flatMap(([column, count]) => (count > 0 ? [column] : []));
  return { columns, rows, pages };
}

/** How staged rows `s` find their referrals: by which kinds of identifier, and by which joins. */
function searchOf(accountId: number, { columns, rows, pages }: Staged) {
  const kinds = identifiers.filter(([column]) => columns.includes(column));
  // Reading all referrals takes less time than looking one up for each row, as long as they are few.
  const join = pages * 2 <= rows ? amongAll : oneByOne;
  const joins = kinds.map((kind, place) => join(accountId, kind, kinds.slice(0, place)));
  return { kinds, joins, hasMail: columns.includes('email_folded') };
}

/** For few referrals: an identifier is one referral's only, so that each row finds one at most. */
function amongAll(
  accountId: number,
  [staged, known]: Identifier,
  before: readonly Identifier[],
): RawBuilder<unknown> {
  const as = sql.ref(`by_${staged}`);
  return sql`
    left join referral ${as} on ${as}.account_id = ${accountId} and ${as}.${sql.ref(known)} = s.${sql.ref(staged)}
      and ${found(before, 'id')} is null`;
}

/** For many: the limit keeps the planner to one look-up a row. */
function oneByOne(
  accountId: number,
  [staged, known]: Identifier,
  before: readonly Identifier[],
): RawBuilder<unknown> {
  return sql`
    left join lateral (
      select id, affiliate_id from referral
      where account_id = ${accountId} and ${sql.ref(known)} = s.${sql.ref(staged)} and ${found(before, 'id')} is null
      limit 1
    ) ${sql.ref(`by_${staged}`)} on true`;
}

function byMail(accountId: number, before: readonly Identifier[]): RawBuilder<unknown> {
  return sql`
    left join lateral (
      select r.id, r.affiliate_id, count(*) over () as affiliates
      from (
        select distinct on (affiliate_id) id, affiliate_id, created_at from referral
        where account_id = ${accountId} and email_folded = s.email_folded and ${found(before, 'id')} is null
        order by affiliate_id, created_at, id
      ) r
      order by (r.affiliate_id = name.affiliate_id) desc nulls last, r.created_at, r.id limit 1
    ) by_email_folded on true`;
}

/** The column of the first of `kinds` by which a row's referral was found. */
function found(kinds: readonly Identifier[], column: 'id' | 'affiliate_id'): RawBuilder<unknown> {
  return sql`coalesce(${sql.join([...kinds.map(([staged]) => sql.ref(`by_${staged}.${column}`)), sql`null::uuid`])})`;
}

/** Whether a row's referral was found by the first of `kinds` that the row has. */
function isFoundByFirst(kinds: readonly Identifier[]): RawBuilder<unknown> {
  const cases = kinds.map(
    ([staged]) => sql`when s.${sql.ref(staged)} is not null then ${sql.ref(`by_${staged}.id`)} is not null`,
  );
  return cases.length === 0 ? sql`false` : sql`case ${sql.join(cases, sql` `)} else false end`;
}
