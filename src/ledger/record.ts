import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { type Mover, postings } from './journal.ts';
import type { Batch, ProgramTerms } from './record/batch.ts';
import { advance, introduce } from './record/introduce.ts';
import { judge } from './record/judge.ts';
import { post } from './record/post.ts';
import { revisit } from './record/revisit.ts';

export type { Batch, ProgramTerms } from './record/batch.ts';

/** How the rows of a batch ended; the counts add up to the rows staged. */
export interface Verdicts {
  recorded: number;
  updated: number;
  duplicates: number;
  conflicts: number;
  rejected: number;
  parked: number;
  /** Rows whose customer belongs to another affiliate than the one they name; they are counted above as well. */
  otherAffiliate: number;
}

/** Sums of what an import recorded, in minor units by currency. */
export interface Tally {
  sales: Map<string, bigint>;
  commissions: Map<string, bigint>;
}

interface Sum {
  kind: string;
  currency: string;
  amount: bigint;
  lines: number;
}

const uniqueViolation = '23505';
const manyRows = 10_000;

/**
 * The one door for every sale: takes the rows in `stage`, dedupes them by external id, finds affiliate and
 * referral, matches the incentive, computes commission and hold, and writes conversions and commissions, set-based.
 * Rejected and parked rows go to the `outcome` table; the stage is empty afterwards. Known ids are taken out by an
 * anti-join; when another transaction commits one of ours in between, the unique key fires and the batch is judged
 * again, now seeing it. Each repetition is caused by another committed transaction, so it ends.
 */
export async function record(session: Session, mover: Mover, batch: Batch): Promise<Verdicts> {
  for (;;) {
    await session.client.query('savepoint batch');
    try {
      const verdicts = await recordOnce(session, mover, batch);
      await session.client.query('release savepoint batch');
      return verdicts;
    } catch (cause) {
      if ((cause as { code?: string }).code !== uniqueViolation) throw cause;
      await session.client.query('rollback to savepoint batch');
    }
  }
}

/** Posts what the whole import recorded to the journal, one posting an affiliate and currency, and returns the sums. */
export async function postTally(session: Session, mover: Mover): Promise<Tally> {
  await sql`/* ledger.record.tally */
    ${postings(
      sql`(select affiliate_id, currency, amount, lines from tally where kind = 'commission') moved`,
      mover,
      { movement: 'record', from: 'earned', to: 'pending' },
      sql`sum(lines)`,
    )}`.execute(session.sql);
  const sums = await sql<Sum>`/* ledger.record.sums */
    select kind, currency, sum(amount)::bigint as amount, sum(lines)::integer as lines from tally group by kind, currency order by currency`.execute(
    session.sql,
  );
  await refreshStatistics(session, sums.rows);
  const of = (kind: string) =>
    new Map(sums.rows.filter((row) => row.kind === kind).map((row) => [row.currency, row.amount]));
  return { sales: of('sale'), commissions: of('commission') };
}

/**
 * After a large import the server's statistics may still speak of empty tables, and what comes next in the night would
 * be planned for them: a nested loop over a million rows does not end before morning.
 */
async function refreshStatistics(session: Session, sums: Sum[]): Promise<void> {
  const recorded = sums.filter((sum) => sum.kind === 'sale').reduce((rows, sum) => rows + sum.lines, 0);
  if (recorded >= manyRows) await session.client.query('analyze conversion, commission');
}

/** Reads what `record` must know of a programme. */
export async function programTerms(
  session: Session,
  accountId: number,
  programId: string,
): Promise<ProgramTerms> {
  const program = await session.sql
    .selectFrom('program')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', programId)
    .executeTakeFirstOrThrow();
  const incentives = await session.sql
    .selectFrom('incentive')
    .select(['duration_months', 'duration_payments'])
    .where('account_id', '=', accountId)
    .where('program_id', '=', programId)
    .where('retired', '=', false)
    .execute();
  const hasDurations = incentives.some(
    (one) => one.duration_months !== null || one.duration_payments !== null,
  );
  return { ...program, hasIncentives: incentives.length > 0, hasDurations };
}

/**
 * Judging looks few rows up in large tables, where a nested loop over an index is right; all later steps join the
 * batch with itself, where a nested loop that the planner takes for cheap would never end.
 */
async function recordOnce(session: Session, mover: Mover, batch: Batch): Promise<Verdicts> {
  if (batch.hasCustomers) await introduce(session, mover, batch.program.id);
  await judge(session, mover, batch);
  await session.client.query('set local enable_nestloop = off');
  await post(session, mover, batch);
  if (batch.hasCustomers) await advance(session, mover);
  let verdicts = await countVerdicts(session);
  if (verdicts.toRevisit > 0) {
    await revisit(session, mover, batch);
    verdicts = await countVerdicts(session);
  }
  await session.client.query('truncate stage, verdict; set local enable_nestloop = on');
  const { toRevisit: _, ...counts } = verdicts;
  return counts;
}

async function countVerdicts(session: Session): Promise<Verdicts & { toRevisit: number }> {
  const counted = await sql<{ verdict: string; rows: number; others: number }>`/* ledger.record.count */
    select verdict, count(*)::integer as rows, (count(*) filter (where other_affiliate))::integer as others
    from verdict group by verdict`.execute(session.sql);
  const rows = (verdict: string) => counted.rows.find((row) => row.verdict === verdict)?.rows ?? 0;
  return {
    recorded: rows('new'),
    updated: rows('updated'),
    duplicates: rows('duplicate'),
    conflicts: rows('conflict'),
    rejected: rows('rejected'),
    parked: rows('parked'),
    otherAffiliate: counted.rows.reduce((sum, row) => sum + row.others, 0),
    toRevisit: rows('known') + rows('again'),
  };
}
