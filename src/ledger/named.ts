import { type Selectable, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { AffiliateRow, ProgramRow } from '../db/tables.ts';
import { listed, PayrunError } from '../errors.ts';
import { parseId, readId } from '../ids.ts';
import { fold } from './stage.ts';

/**
 * The affiliate that a person means by an id, ref, short code or e-mail address; one whose name is spelt exactly like this
 * comes before one that differs in case. Raises `not-found`, and `usage` where several are meant.
 */
export async function findAffiliate(
  session: Pick<Session, 'sql'>,
  accountId: number,
  text: string,
): Promise<Selectable<AffiliateRow>> {
  const wanted = text.trim().normalize('NFC');
  const named = sql<string>`(
    select affiliate_id from (
      select affiliate_id, rank() over (order by (exact = ${wanted}) desc) as place
      from affiliate_key where account_id = ${accountId} and folded = ${fold(wanted)}
    ) named where place = 1)`;
  const ids = readId(wanted) ? sql<string>`(${parseId('affiliate', wanted)}::uuid)` : named;
  const found = await session.sql
    .selectFrom('affiliate')
    .selectAll()
    .where('account_id', '=', accountId)
    .where(sql<boolean>`id in ${ids}`)
    .execute();
  if (found.length === 1) return found[0]!;
  const shown = wanted.includes('@') ? '(an e-mail address)' : wanted;
  if (found.length > 1)
    throw new PayrunError('usage', 'Several affiliates go by this name.', {
      found: shown,
      todo: `Give the ref of the one you mean: ${listed(found.map((one) => one.ref))}.`,
    });
  throw new PayrunError('not-found', 'There is no such affiliate in this account.', {
    found: shown,
    todo: 'Give the ref, the short code, the e-mail address or the id; "payrun affiliates list --search" finds a part of them.',
  });
}

/** The programme of that ref. Raises `not-found`. */
export async function findProgram(
  session: Pick<Session, 'sql'>,
  accountId: number,
  ref: string,
): Promise<ProgramRow> {
  const program = await session.sql
    .selectFrom('program')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('ref', '=', ref)
    .executeTakeFirst();
  if (program) return program;
  throw new PayrunError('not-found', 'The account has no such programme.', {
    found: ref,
    todo: 'Give the ref that the programme has in payrun.json.',
  });
}

/** The UUID of the source of that ref. Raises `not-found`. */
export async function findSource(
  session: Pick<Session, 'sql'>,
  accountId: number,
  ref: string,
): Promise<string> {
  const source = await session.sql
    .selectFrom('source')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ref', '=', ref)
    .executeTakeFirst();
  if (source) return source.id;
  throw new PayrunError('not-found', 'The account has no such source.', {
    found: ref,
    todo: 'Give the ref that the source has in payrun.json.',
  });
}
