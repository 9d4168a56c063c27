import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { showId } from '../ids.ts';
import { formatAmount } from '../money.ts';
import { affiliatesHeld, heldLines } from './held/lines.ts';

/** Why a commission whose hold has ended does not move on. */
export type HeldReason =
  | 'open_dispute'
  | 'sale_open'
  | 'sale_trialing'
  | 'affiliate_banned'
  | 'affiliate_paused'
  | 'affiliate_pending';

/** Held for one reason in one currency: so many lines, reversals among them, and their sum in minor units. */
export interface HeldSum {
  reason: HeldReason;
  currency: string;
  lines: number;
  amount: bigint;
  /** Since when the one that is held longest would otherwise have moved. */
  since: Date;
}

/** One commission, reversal or adjustment that is held. */
export interface HeldLine {
  id: string;
  /** Its affiliate's ref. */
  affiliate: string;
  amount: bigint;
  currency: string;
  since: Date;
  reason: HeldReason;
}

/** How many of the lines are named one by one in what a run keeps. */
const namedAtMost = 50;

/**
 * What has ended its hold by `asOf`, is in no payout, and yet is neither released, approved nor paid, because of an open
 * dispute, a sale that is open or trialing, or an affiliate who is not active; each line once, by the first of these.
 * `sums` by reason and currency; `oldest` the first lines by `since`.
 */
export async function readHeld(
  session: Session,
  accountId: number,
  asOf: Date,
): Promise<{ sums: HeldSum[]; oldest: HeldLine[] }> {
  const sums = await sumsOf(session, await heldQuery(session, accountId, asOf));
  const first = sums
    .flatMap(({ reason, ids, times }) => ids.map((id, n) => ({ id, reason, since: times[n]! })))
    .sort((a, b) => a.since.getTime() - b.since.getTime() || (a.id < b.id ? -1 : 1))
    .slice(0, namedAtMost);
  const lines = await session.sql
    .selectFrom('commission as m')
    .innerJoin('affiliate as a', (join) =>
      join.on('a.account_id', '=', accountId).onRef('a.id', '=', 'm.affiliate_id'),
    )
    .select(['m.id', 'a.ref as affiliate', 'm.amount', 'm.currency'])
    .where('m.account_id', '=', accountId)
    .where(sql<boolean>`m.id = any(${first.map(({ id }) => id)}::uuid[])`)
    .execute();
  const found = new Map(lines.map((line) => [line.id, line]));
  return {
    sums: sums.map(({ ids: _, times: __, ...sum }) => sum),
    oldest: first.map((line) => ({ ...found.get(line.id)!, ...line })),
  };
}

/** A sum with the first of its lines, and since when each is held. */
type SumWithFirst = HeldSum & { ids: string[]; times: Date[] };

/**
 * The commissions of affiliates who are not active are looked for among those that are ready, not among all that ever
 * were: the planner would read the whole table where much of it is ready, which it is not for long.
 */
async function sumsOf(session: Session, held: RawBuilder<unknown>): Promise<SumWithFirst[]> {
  await session.client.query('set local enable_seqscan = off');
  const first = (column: 'id' | 'since') =>
    sql`(array_agg(${sql.ref(column)} order by since, id))[1:${sql.lit(namedAtMost)}]`;
  const sums = await sql<SumWithFirst>`/* ledger.held */
    select reason, currency, count(*)::integer as lines, sum(amount)::bigint as amount, min(since) as since,
      ${first('id')} as ids, ${first('since')} as times
    from (${held}) held group by reason, currency order by min(since), reason, currency`.execute(session.sql);
  await session.client.query('set local enable_seqscan = default');
  return sums.rows;
}

/** What is held of one affiliate, by reason and currency. */
export async function readHeldOf(
  session: Session,
  accountId: number,
  { asOf, affiliateId }: { asOf: Date; affiliateId: string },
): Promise<HeldSum[]> {
  return sumsOf(
    session,
    sql`select * from (${await heldQuery(session, accountId, asOf)}) held
    where affiliate_id = ${affiliateId}::uuid`,
  );
}

/** What open disputes hold since before that moment, by currency. */
export async function readHeldByDisputes(
  session: Session,
  accountId: number,
  { asOf, before }: { asOf: Date; before: Date },
) {
  // A dispute comes before all other reasons, so that these need not be looked for.
  const held = heldLines(accountId, asOf, { ready: [], early: [] });
  const sums = await sql<{
    count: number;
    currency: string;
    amount: bigint;
    since: Date;
  }>`/* ledger.held.disputes */
    select count(*)::integer as count, currency, sum(amount)::bigint as amount, min(since) as since
    from (${held}) held where reason = ${'open_dispute' satisfies HeldReason} and since < ${before}::timestamptz
    group by currency order by currency`.execute(session.sql);
  return sums.rows;
}

/** The query of the lines that are held: id, affiliate_id, currency, amount, reason and since. */
export async function heldQuery(
  session: Session,
  accountId: number,
  asOf: Date,
): Promise<RawBuilder<unknown>> {
  return heldLines(accountId, asOf, await affiliatesHeld(session, accountId));
}

/** The same as a run stores it: a count, totals by currency, and the list, oldest first. */
export async function heldOutcome(session: Session, accountId: number, asOf: Date) {
  const { sums, oldest } = await readHeld(session, accountId, asOf);
  const totals: Record<string, { held: string }> = {};
  for (const currency of [...new Set(sums.map((sum) => sum.currency))].sort()) {
    const ofCurrency = sums.filter((sum) => sum.currency === currency);
    const amount = ofCurrency.reduce((total, sum) => total + sum.amount, 0n);
    totals[currency] = { held: formatAmount(amount, currency) };
  }
  return {
    counts: { held: sums.reduce((total, sum) => total + sum.lines, 0) },
    totals,
    report: {
      held: sums.map(({ reason, currency, lines, amount, since }) => ({
        reason,
        commissions: lines,
        amount: formatAmount(amount, currency),
        currency,
        since: since.toISOString(),
      })),
      held_commissions: oldest.map(({ id, affiliate, amount, currency, since, reason }) => ({
        commission: showId('commission', id),
        affiliate,
        amount: formatAmount(amount, currency),
        currency,
        since: since.toISOString(),
        reason,
      })),
    },
  };
}
