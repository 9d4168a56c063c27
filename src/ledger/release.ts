import { type RawBuilder, sql } from 'kysely';
import type { Db, Session } from '../db/connect.ts';
import { formatAmount } from '../money.ts';
import { disputed } from './disputed.ts';
import { type Mover, postings } from './journal.ts';

/** What a release did, in the shape that a run stores. */
export interface Released {
  counts: { released: number; awaiting_approval: number };
  /** Currency to the commissions that became ready and those that now wait for approval, as exact decimals. */
  totals: Record<string, { released: string; awaiting_approval: string }>;
}

/** One of two halves of the affiliates, as a hash of their ids falls. */
export type Half = 'lower' | 'upper';

/** Said as an inequality: of an equation with a hash the planner would believe that next to nothing meets it. */
const isIn: Record<Half, RawBuilder<unknown>> = {
  lower: sql`uuid_hash(m.affiliate_id) < 0`,
  upper: sql`uuid_hash(m.affiliate_id) >= 0`,
};

/** So many holds keep a server busy for half a second; what a second transaction costs beside is small against it. */
const manyHolds = 50_000;

/**
 * The parts in which to release what is due by `asOf`: two halves where it is much, which two processors of the server
 * do in two thirds of the time of one; else the whole. Each affiliate is in one part with all that is theirs.
 */
export async function partsToRelease(
  db: Db,
  accountId: number,
  asOf: Date,
): Promise<readonly { half?: Half }[]> {
  const due = await sql<{ holds: number }>`/* ledger.release.due */
    select count(*)::integer as holds from (
      select from commission
      where account_id = ${accountId} and status = 'pending' and hold_until <= ${asOf}::timestamptz limit ${manyHolds}
    ) due`.execute(db.sql);
  return due.rows[0]!.holds < manyHolds ? [{}] : [{ half: 'lower' }, { half: 'upper' }];
}

/** What one statement moved, in minor units. */
interface Moved {
  currency: string;
  status: string;
  amount: bigint;
  lines: number;
}

/**
 * Moves every commission whose hold has ended by `asOf` on to ready_for_payment, or to pending_manual_approval where
 * its programme wants approval: due when hold_until <= asOf, still pending, the sale complete or partly refunded,
 * no dispute open, the affiliate not banned. Twice, at once or after a kill ends the same: what has moved is no longer pending.
 * With `half`, only those of that half of the affiliates.
 */
export async function releaseHolds(
  session: Session,
  mover: Mover,
  { asOf, half }: { asOf: Date; half?: Half },
): Promise<Released> {
  // What a statement returns of a million commissions stays in memory; of more, the server writes it to disk first.
  await session.client.query("set local work_mem = '128MB'");
  const part = half === undefined ? sql`true` : isIn[half];
  const moved = await move(session, mover, asOf, part);
  // A refund that was booked while the first statement waited for its commission: it did not see the reversal.
  moved.push(...(await move(session, mover, asOf, sql`${part} and m.reverses is not null`)));
  const of = (status: string, currency?: string) =>
    moved.filter((row) => row.status === status && (currency === undefined || row.currency === currency));
  const sum = (status: string, currency: string) =>
    formatAmount(
      of(status, currency).reduce((total, row) => total + row.amount, 0n),
      currency,
    );
  const currencies = [...new Set(moved.map((row) => row.currency))].sort();
  const count = (status: string) => of(status).reduce((lines, row) => lines + row.lines, 0);
  return {
    counts: { released: count('ready_for_payment'), awaiting_approval: count('pending_manual_approval') },
    totals: Object.fromEntries(
      currencies.map((currency) => [
        currency,
        {
          released: sum('ready_for_payment', currency),
          awaiting_approval: sum('pending_manual_approval', currency),
        },
      ]),
    ),
  };
}

async function move(
  session: Session,
  mover: Mover,
  asOf: Date,
  which: RawBuilder<unknown>,
): Promise<Moved[]> {
  const { accountId, runId, now } = mover;
  const moved = await sql<Moved>`/* ledger.release */
    with moved as (
      update commission m
      set status = case when m.program_id = any(array(
            select id from program where account_id = ${accountId} and commission_approval = 'manual'
          )) then 'pending_manual_approval' else 'ready_for_payment' end,
        status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      where m.account_id = ${accountId} and m.status = 'pending' and m.hold_until <= ${asOf}::timestamptz and ${which}
        and coalesce(m.reverses, m.id) <> all (${disputed(accountId)})
        -- Said by what must not be, of which there are few, not by joins with every sale and affiliate.
        and not exists (
          select from conversion c
          where c.account_id = ${accountId} and c.id = m.id and c.sales_status in ('open', 'trialing', 'failed', 'refunded')
        )
        and not exists (
          select from affiliate a where a.account_id = ${accountId} and a.id = m.affiliate_id and a.status = 'banned'
        )
      returning m.affiliate_id, m.currency, m.amount, m.status
    ),
    summed as materialized (
      select affiliate_id, currency, status, sum(amount) as amount, count(*) as lines from moved group by 1, 2, 3
    ),
    released as (
      ${postings(sql`(select * from summed where status = 'ready_for_payment') ready`, mover, { movement: 'release', from: 'pending', to: 'ready' }, sql`sum(lines)`)}
    ),
    awaited as (
      ${postings(sql`(select * from summed where status = 'pending_manual_approval') awaiting`, mover, { movement: 'await', from: 'pending', to: 'awaiting' }, sql`sum(lines)`)}
    )
    select currency, status, sum(amount)::bigint as amount, sum(lines)::integer as lines
    from summed group by currency, status order by currency`.execute(session.sql);
  return moved.rows;
}
