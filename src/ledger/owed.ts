import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { type Page, type PageChoice, readPage } from '../db/pages.ts';
import { listed, PayrunError } from '../errors.ts';
import { isZone, zoned } from '../time.ts';
import type { Balances } from './balances.ts';

/** What the journal says of one affiliate in one currency, in minor units. */
export interface AffiliateBalance extends Balances {
  affiliate: string;
  name: string;
  /** What it has earned and not been paid: pending, awaiting approval, ready and in payouts. */
  owed: bigint;
}

/** Whose balances, and as of when: postings before the moment count, all of them without it. */
export interface OwedFilter {
  affiliateId?: string | undefined;
  before?: Date | undefined;
}

/** What is owed in one currency, and to how many affiliates. */
export type OwedSum = Omit<AffiliateBalance, 'affiliate' | 'name'> & { affiliates: number };

const states = ['pending', 'awaiting', 'ready', 'in_payout', 'paid', 'declined'] as const;

/** The balance of each account of the journal, over postings: what it was given less what it has given. */
const sums = sql.join([
  ...states.map(
    (
      state,
    ) => sql`coalesce(sum(case ${state} when to_account then amount when from_account then -amount end), 0)::bigint
      as ${sql.ref(state)}`,
  ),
  sql`coalesce(sum(case 'earned' when to_account then -amount when from_account then amount end), 0)::bigint as earned`,
]);
const owed = sql`(s.pending + s.awaiting + s.ready + s.in_payout)`;
const something = sql`(s.pending <> 0 or s.awaiting <> 0 or s.ready <> 0 or s.in_payout <> 0)`;

/**
 * One page of what is owed, by affiliate and currency, whose key is the ref and the currency with a colon between. Who is owed
 * nothing in any state is left out, unless asked for by name.
 */
export async function listOwed(
  session: Session,
  accountId: number,
  { affiliateId, before }: OwedFilter,
  choice: PageChoice,
): Promise<Page<AffiliateBalance>> {
  const { after } = choice;
  const [ref, currency] = [after?.slice(0, -4), after?.slice(-3)];
  const behind =
    after === undefined ? sql`true` : sql`a.ref >= ${ref} and (a.ref, s.currency) > (${ref}, ${currency})`;
  const whose = affiliateId === undefined ? something : sql`a.id = ${affiliateId}::uuid`;
  return readPage(
    choice,
    (row) => `${row.affiliate}:${row.currency}`,
    async (atMost) => {
      const rows = await sql<AffiliateBalance>`/* ledger.owed */
        select a.ref as affiliate, a.name, s.*, ${owed} as owed
        from affiliate a cross join lateral (
          select currency, ${sums} from posting
          where account_id = ${accountId} and affiliate_id = a.id and ${isBefore(before)}
          group by currency
        ) s
        where a.account_id = ${accountId} and ${whose} and ${behind}
        order by a.ref, s.currency limit ${atMost}`.execute(session.sql);
      return rows.rows;
    },
  );
}

/** The same summed up by currency. */
export async function sumOwed(
  session: Session,
  accountId: number,
  { affiliateId, before }: OwedFilter,
): Promise<OwedSum[]> {
  const whose = affiliateId === undefined ? sql`true` : sql`affiliate_id = ${affiliateId}::uuid`;
  const rows = await sql<OwedSum>`/* ledger.owed.sums */
    select currency, (count(*) filter (where ${something}))::integer as affiliates, sum(${owed})::bigint as owed,
      ${sql.join([...states, 'earned'].map((state) => sql`sum(${sql.ref(state)})::bigint as ${sql.ref(state)}`))}
    from (
      select affiliate_id, currency, ${sums} from posting
      where account_id = ${accountId} and ${whose} and ${isBefore(before)}
      group by affiliate_id, currency
    ) s group by currency order by currency`.execute(session.sql);
  return rows.rows;
}

function isBefore(moment: Date | undefined) {
  return moment === undefined ? sql`true` : sql`posted_at < ${moment}::timestamptz`;
}

/**
 * The end of a day (`YYYY-MM-DD`), which is where the next begins, in the zone of the account's programmes. Raises `usage`
 * where they have several zones and `zone` does not say which, or is none.
 */
export async function endOfDay(
  session: Session,
  accountId: number,
  { day, zone }: { day: string; zone?: string | undefined },
): Promise<{ before: Date; zone: string }> {
  const zones = await session.sql
    .selectFrom('program')
    .select('timezone')
    .distinct()
    .where('account_id', '=', accountId)
    .where('retired', '=', false)
    .orderBy('timezone')
    .execute();
  const chosen = zone ?? (zones.length > 1 ? undefined : (zones[0]?.timezone ?? 'UTC'));
  if (chosen === undefined || !isZone(chosen))
    throw new PayrunError('usage', 'A day ends at another moment in each zone.', {
      ...(zone === undefined ? {} : { found: zone }),
      todo: `Say in which with --zone: ${listed(zones.map((one) => one.timezone))}.`,
    });
  const start = zoned(new Date(`${day}T12:00:00Z`), 'UTC').toPlainDate();
  const end = start.add({ days: 1 }).toZonedDateTime(chosen);
  return { before: new Date(end.epochMilliseconds), zone: chosen };
}
