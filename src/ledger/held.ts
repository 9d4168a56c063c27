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
  const held = await heldQuery(session, accountId, asOf);
  const sums = await sumsOf(session, held);
  if (sums.length === 0) return { sums: [], oldest: [] };
  const oldest = await sql<HeldLine>`/* ledger.held.oldest */
    select held.id, a.ref as affiliate, held.amount, held.currency, held.since, held.reason
    from (select * from (${held}) held order by since, id limit ${namedAtMost}) held
    join affiliate a on a.account_id = ${accountId} and a.id = held.affiliate_id
    order by held.since, held.id`.execute(session.sql);
  return { sums, oldest: oldest.rows };
}

async function sumsOf(session: Session, held: RawBuilder<unknown>): Promise<HeldSum[]> {
  const sums = await sql<HeldSum>`/* ledger.held.sums */
    select reason, currency, count(*)::integer as lines, sum(amount)::bigint as amount, min(since) as since
    from (${held}) held group by reason, currency order by min(since), reason, currency`.execute(session.sql);
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

/** What `reason` holds since before that moment, by currency. */
export async function readHeldLongest(
  session: Session,
  accountId: number,
  { asOf, reason, before }: { asOf: Date; reason: HeldReason; before: Date },
) {
  const held = await heldQuery(session, accountId, asOf);
  const sums = await sql<{
    count: number;
    currency: string;
    amount: bigint;
    since: Date;
  }>`/* ledger.held.longest */
    select count(*)::integer as count, currency, sum(amount)::bigint as amount, min(since) as since
    from (${held}) held where reason = ${reason} and since < ${before}::timestamptz
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
