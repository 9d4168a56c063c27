import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { type Mover, postings } from './journal.ts';
import type { PricedBatch } from './priced.ts';
import { type Batch, batchSettings, type Judged, type ProgramTerms } from './record/batch.ts';
import { advance, introduce } from './record/introduce.ts';
import { judge } from './record/judge.ts';
import { post } from './record/post.ts';
import { allRows, newRows, pricedSales } from './record/price.ts';
import { revisit } from './record/revisit.ts';
import { namesEvent, namesRefund } from './record/taken-ids.ts';
import { noted, noVerdicts, type Verdicts } from './record/verdicts.ts';
import { plannedFor, refreshStatistics } from './statistics.ts';

export type { Batch, ProgramTerms } from './record/batch.ts';

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

/** Verdicts of rows that somebody has been credited with. */
const credited = new Set(['new', 'updated', 'duplicate']);

/**
 * The one door for every sale: takes the rows in `stage`, dedupes them by external id, finds affiliate and
 * referral, matches the incentive, computes commission and hold, and writes conversions and commissions, set-based.
 * Rejected and parked rows go to the `outcome` table; the stage is empty afterwards. With `areNew`, which says that
 * each row names an affiliate that is known and is likely to be new, the unique key alone judges: it fires when a row is
 * not. Else known ids are taken out by an anti-join; when another transaction commits one of ours in between, the unique
 * key fires and the batch is judged again, now seeing it. Each repetition is caused by another committed
 * transaction, so it ends.
 */
export async function record(
  session: Session,
  mover: Mover,
  batch: Batch,
  areNew: boolean,
): Promise<Verdicts> {
  if (areNew && isSimple(batch) && !(await namesRefund(session, mover.accountId))) {
    const recorded = await unlessKnown(session, batch, () =>
      post(session, mover, batch, pricedSales(mover.accountId, batch, allRows)),
    );
    if (recorded !== undefined) return { ...noVerdicts, recorded };
  }
  for (;;) {
    const verdicts = await unlessKnown(session, batch, () => recordJudged(session, mover, batch));
    if (verdicts) return verdicts;
  }
}

/**
 * Writes a batch that was priced before, if the unique key lets it: returns undefined, and has done nothing, when it
 * holds a sale that is known, or of a log, one whose id an event has. Every sale counts as recorded.
 */
export async function recordPriced(
  session: Session,
  mover: Mover,
  batch: Batch,
  priced: PricedBatch,
): Promise<number | undefined> {
  if (batch.log && (await namesEvent(session, mover.accountId, priced.sales))) return undefined;
  const recorded = await unlessKnown(session, batch, () => post(session, mover, batch, priced.sales));
  if (recorded !== undefined && recorded !== priced.rows)
    throw new Error(`${priced.rows} sales were priced, but ${recorded} recorded`);
  return recorded;
}

/** Whether the sales of a batch can be priced without knowing of those recorded before them. */
export function canBePriced(batch: Batch): boolean {
  return !batch.program.hasDurations;
}

/** Whether nothing but affiliate and terms decides about the sales of a batch, so that they need not be judged first. */
function isSimple(batch: Batch): boolean {
  return !batch.hasCustomers && !batch.log && !batch.program.hasDurations;
}

/**
 * Does `work` under the settings of the batch and empties the stage, or undoes it and returns undefined when an external id
 * was there already. Several statements go in one message: the wait for an answer costs more than they do.
 */
async function unlessKnown<T>(
  session: Session,
  batch: Batch,
  work: () => Promise<T>,
): Promise<T | undefined> {
  await session.client.query(`savepoint batch; ${batchSettings(session, batch)}`);
  try {
    const result = await work();
    const emptied = batch.few ? '' : '; set local enable_nestloop = on; truncate stage, customer, verdict';
    await session.client.query(`release savepoint batch; set local timezone = 'UTC'${emptied}`);
    return result;
  } catch (cause) {
    if ((cause as { code?: string }).code !== uniqueViolation) throw cause;
    await session.client.query('rollback to savepoint batch');
    return undefined;
  }
}

/**
 * Ends what the batches of an import began: moves the referrals of its sales up, once each, by what they `bought` where
 * that was added up ahead; posts what it recorded to the journal, one posting an affiliate and currency, and returns the
 * sums.
 */
export async function postTally(
  session: Session,
  mover: Mover,
  { importId, hasCustomers }: Pick<Batch, 'importId' | 'hasCustomers'>,
  bought?: Promise<RawBuilder<unknown> | undefined>,
): Promise<Tally> {
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
  const recorded = sums.rows.filter((sum) => sum.kind === 'sale').reduce((rows, sum) => rows + sum.lines, 0);
  await refreshStatistics(session, ['conversion', 'commission'], recorded);
  const made = await bought;
  if (hasCustomers && recorded > 0)
    await plannedFor(recorded, session, () => advance(session, mover, importId, made));
  const of = (kind: string) =>
    new Map(sums.rows.filter((row) => row.kind === kind).map((row) => [row.currency, row.amount]));
  return { sales: of('sale'), commissions: of('commission') };
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
 * Whoever counts the sales of the same customers at this moment comes to an end first: the referral's row decides, and
 * what is read after it sees all that was recorded for it.
 */
async function lockReferrals(session: Session, accountId: number): Promise<void> {
  await sql`/* ledger.record.lock */
    select from referral r where r.account_id = ${accountId}
      and r.id in (select referral_id from verdict where verdict = 'new' and referral_id is not null)
    order by r.id for no key update`.execute(session.sql);
}

async function recordJudged(session: Session, mover: Mover, batch: Batch): Promise<Verdicts> {
  if (batch.hasCustomers) await introduce(session, mover, batch.program.id);
  const judged = await judge(session, mover, batch);
  const rows = (verdict: string, among: Judged[] = judged) =>
    among.find((one) => one.verdict === verdict)?.rows ?? 0;
  if (rows('new') > 0 && batch.program.hasDurations) await lockReferrals(session, mover.accountId);
  if (rows('new') > 0) await post(session, mover, batch, pricedSales(mover.accountId, batch, newRows));
  const isLeft = rows('known') + rows('again') > 0;
  const revisited = isLeft ? await revisit(session, mover, batch) : [];
  return {
    recorded: rows('new'),
    updated: rows('updated', revisited),
    duplicates: rows('duplicate') + rows('duplicate', revisited),
    conflicts: rows('conflict', revisited),
    rejected: rows('rejected'),
    parked: rows('parked'),
    ignored: rows('ignored'),
    otherAffiliate: noted(
      [...judged, ...revisited]
        .filter(({ verdict }) => credited.has(verdict))
        .map(({ others, firstLine }) => ({ rows: others, line: firstLine })),
    ),
  };
}
