import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { type Page, type PageChoice, readPage } from '../db/pages.ts';
import type { AffiliateStatus, PayoutMethod } from '../db/tables.ts';
import { type Balances, readBalances } from './balances.ts';
import { type ListedCommission, listCommissions } from './commissions.ts';
import { type AffiliateStory, readAffiliate } from './explain/affiliate.ts';
import { type HeldSum, readHeldOf } from './held.ts';
import { findAffiliate, findProgram } from './named.ts';

/** An affiliate as lists show it. */
export interface ListedAffiliate {
  id: string;
  ref: string;
  name: string;
  shortCode: string | null;
  status: AffiliateStatus;
  method: PayoutMethod | null;
  hasDestination: boolean;
  /** What the journal says of it, a currency each. */
  balances: Balances[];
}

export interface AffiliateFilter {
  status?: AffiliateStatus | undefined;
  /** The ref of a programme in which they have earned something. */
  program?: string | undefined;
  /** A part of ref, name, short code or e-mail address, in any case. */
  search?: string | undefined;
}

/** One page of the affiliates that `filter` chooses, by ref, which is the key. Raises `not-found` for the programme. */
export async function listAffiliates(
  session: Session,
  accountId: number,
  { status, program, search }: AffiliateFilter,
  choice: PageChoice,
): Promise<Page<ListedAffiliate>> {
  const programId = program && (await findProgram(session, accountId, program)).id;
  const pattern = `%${(search ?? '').replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  const read = (atMost: number) =>
    session.sql
      .selectFrom('affiliate')
      .select(['id', 'ref', 'name', 'short_code as shortCode', 'status', 'payout_method as method'])
      .select(sql<boolean>`coalesce(payout_destination, '') <> ''`.as('hasDestination'))
      .where('account_id', '=', accountId)
      .$if(status !== undefined, (query) => query.where('status', '=', status!))
      .$if(choice.after !== undefined, (query) => query.where('ref', '>', choice.after!))
      .$if(programId !== undefined, (query) =>
        query.where(
          sql<boolean>`id = any(array(
            select distinct affiliate_id from commission where account_id = ${accountId} and program_id = ${programId}::uuid))`,
        ),
      )
      .$if(search !== undefined, (query) =>
        query.where(
          sql<boolean>`(ref ilike ${pattern} or name ilike ${pattern} or short_code ilike ${pattern} or email ilike ${pattern})`,
        ),
      )
      .orderBy('ref')
      .limit(atMost)
      .execute();
  const { rows, next } = await readPage(choice, (row) => row.ref, read);
  const listed: ListedAffiliate[] = [];
  for (const row of rows) listed.push({ ...row, balances: await readBalances(session, accountId, row.id) });
  return { rows: listed, next };
}

/** An affiliate with what it has earned and been paid of late. */
export interface AffiliateDetails extends AffiliateStory {
  /** The latest commissions, newest first. */
  commissions: ListedCommission[];
  /** What does not move although its hold has ended. */
  held: HeldSum[];
  /** When the first hold of what is pending ends. */
  nextHoldEnd: Date | null;
}

const shown = 10;

/** The affiliate that a person means by `text`, at the moment `now`; to be read in a snapshot. Raises what `findAffiliate` raises. */
export async function showAffiliate(
  session: Session,
  accountId: number,
  text: string,
  now: Date,
): Promise<AffiliateDetails> {
  const { id } = await findAffiliate(session, accountId, text);
  const story = await readAffiliate(session, accountId, id);
  // There is no index by affiliate, which would cost each import; so it is only looked for where there is something.
  const hasAny = story.balances.length > 0;
  const latest = hasAny ? await latestCommissions(session, accountId, id) : [];
  const list = await listCommissions(session, accountId, { ids: latest });
  const { rows } = await list.page({ limit: shown });
  const isPending = story.balances.some((balance) => balance.pending !== 0n);
  const nextHoldEnd = isPending ? await firstHoldEnd(session, accountId, id) : null;
  const held = hasAny ? await readHeldOf(session, accountId, { asOf: now, affiliateId: id }) : [];
  return { ...story, commissions: rows.toReversed(), held, nextHoldEnd };
}

async function latestCommissions(session: Session, accountId: number, id: string): Promise<string[]> {
  const rows = await session.sql
    .selectFrom('commission')
    .select('id')
    .where('account_id', '=', accountId)
    .where('affiliate_id', '=', id)
    .orderBy('id', 'desc')
    .limit(shown)
    .execute();
  return rows.map((row) => row.id);
}

async function firstHoldEnd(session: Session, accountId: number, id: string): Promise<Date | null> {
  const row = await session.sql
    .selectFrom('commission')
    .select(({ fn }) => fn.min('hold_until').as('at'))
    .where('account_id', '=', accountId)
    .where('affiliate_id', '=', id)
    .where('status', '=', 'pending')
    .executeTakeFirst();
  return row?.at ?? null;
}
