import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { fingerprint } from './fingerprint.ts';
import type { Rows } from './price.ts';

/** Of the staged rows that name an affiliate and a customer, those whose customer nobody knows. */
export interface Strangers {
  byIdentifier: number;
  /** Rows that have nothing but an e-mail address. */
  byMail: number;
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
  const { kinds, joins, hasMail } = await searchOf(session, accountId);
  await session.client.query('truncate customer');
  if (hasMail) joins.push(byMail(accountId, kinds));
  if (joins.length === 0) return { byIdentifier: 0, byMail: 0 };
  const all = hasMail ? [...kinds, ['email_folded', 'email_folded'] as const] : kinds;
  const isAmbiguous = sql`${found(kinds, 'id')} is null and by_email_folded.affiliates > 1 and s.name_no is null`;
  const counted = await sql<Strangers>`/* ledger.record.customers */
    with found as materialized (
      select s.n, ${found(all, 'id')} as referral_id, ${found(all, 'affiliate_id')} as affiliate_id,
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
      insert into customer (n, referral_id, affiliate_id, ambiguous)
      select n, referral_id, affiliate_id, ambiguous from found
    )
    select (count(*) filter (where not by_mail))::integer as "byIdentifier",
      (count(*) filter (where by_mail))::integer as "byMail"
    from found where name_no is not null and referral_id is null`.execute(session.sql);
  return counted.rows[0]!;
}

/**
 * Those of the staged rows whose customer is known by the first of the identifiers that they have, so that it is the same
 * whoever else becomes known meanwhile, and belongs to the affiliate that they name, if they name one.
 */
export async function sureRows(session: Session, accountId: number): Promise<Rows> {
  const { kinds, joins } = await searchOf(session, accountId);
  const affiliateId = found(kinds, 'affiliate_id');
  return {
    join: sql`left join name on name.no = s.name_no ${sql.join([...joins, sql``], sql` `)}`,
    where: sql`where ${isFoundByFirst(kinds)} and (s.name_no is null or name.affiliate_id = ${affiliateId})`,
    affiliateId,
    referralId: found(kinds, 'id'),
    fingerprint: fingerprint(affiliateId),
  };
}

/** How staged rows `s` find their referrals: by the kinds of identifier that any of them has, and by which joins. */
async function searchOf(session: Session, accountId: number) {
  const staged = await stagedKinds(session);
  const kinds = identifiers.filter(([column]) => staged.includes(column));
  const join = (await areFewReferrals(session)) ? amongAll : oneByOne;
  const joins = kinds.map((kind, place) => join(accountId, kind, kinds.slice(0, place)));
  return { kinds, joins, hasMail: staged.includes('email_folded') };
}

/** The columns of the stage that identify a customer and are filled in any row. */
async function stagedKinds(session: Session): Promise<string[]> {
  const columns = [...identifiers.map(([column]) => column), 'email_folded'];
  const counts = columns.map((column) => sql`count(${sql.ref(column)})::integer as ${sql.ref(column)}`);
  const filled = await sql<Record<string, number>>`/* ledger.record.kinds */
    select ${sql.join(counts)} from stage`.execute(session.sql);
  return columns.filter((column) => filled.rows[0]![column]! > 0);
}

/** Whether reading all referrals takes less time than looking one up for each staged row. */
async function areFewReferrals(session: Session): Promise<boolean> {
  const few = await sql`/* ledger.record.few_referrals */
    select from stage having pg_relation_size('referral') / 8192 * 2 <= count(*)`.execute(session.sql);
  return few.rows.length > 0;
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
