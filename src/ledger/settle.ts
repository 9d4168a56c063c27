import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { listed, PayrunError } from '../errors.ts';
import { readId } from '../ids.ts';
import { reunite } from './family.ts';
import type { Mover } from './journal.ts';
import { personNamed } from './person.ts';
import { type Answer, disagreement, type Found, judge } from './settle/judge.ts';
import { type Moved, movePayouts } from './settle/move.ts';

export type { Answer, Answered } from './settle/judge.ts';

/** What answers did; amounts in minor units. */
export interface Settled {
  moved: Moved[];
  /** The payouts they moved, in the order of the answers. */
  payoutIds: string[];
  /** Payouts of which the same was known before. */
  unchanged: number;
  /** Batches of which nothing is under way any more. */
  settledBatches: number;
}

interface Payout extends Found {
  id: string;
  batchId: string;
}

const namedAtMost = 50;

/**
 * Settles exported payouts by what the provider, or a person, says, all of them or none. Paid ones are paid with their
 * commissions; the commissions of those that failed or were returned, even after they had arrived, are ready again, and
 * the next prepare takes them up. A batch is settled with its last payout. Again with the same answers changes nothing.
 * Raises `usage` without a person's name, for a payment without the provider's reference, and for a failure or return
 * without a reason; `not-found` for unknown payouts; `state`, naming each, where answers contradict the books or one
 * another.
 */
export async function settlePayouts(
  session: Session,
  mover: Mover,
  { answers, by }: { answers: Answer[]; by: string },
): Promise<Settled> {
  const name = personNamed(by, 'Settling a payout');
  answers.forEach(assertComplete);
  const payouts = await lockPayouts(session, mover, answers);
  const chosen = new Map<string, { payout: Payout; answer: Answer }>();
  const unknown: string[] = [];
  const faults: string[] = [];
  for (const answer of answers) {
    const payout = payouts.get(keyOf(answer.payout));
    const before = payout && chosen.get(payout.id);
    const fault = before && disagreement(before.answer, answer);
    if (!payout) unknown.push(`${shown(answer.payout)}${placeOf(answer)}`);
    else if (fault) faults.push(`${payout.reference}${placeOf(before.answer, answer)} ${fault}`);
    else if (!before) chosen.set(payout.id, { payout, answer });
  }
  const moves = [];
  for (const { payout, answer } of chosen.values()) {
    const judgement = judge(payout, answer);
    if (typeof judgement === 'object')
      faults.push(`${payout.reference}${placeOf(answer)} ${judgement.contradiction}`);
    else if (judgement === 'move') moves.push({ ...answer, payoutId: payout.id, was: payout.status });
  }
  if (unknown.length > 0) throw notFound(unknown);
  if (faults.length > 0) throw contradicting(faults);
  const moved = await movePayouts(session, mover, moves, name);
  if (moves.some(({ outcome }) => outcome !== 'paid')) await reunite(session, mover);
  let settledBatches = 0;
  for (const batchId of new Set([...chosen.values()].map(({ payout }) => payout.batchId)))
    if (await settleBatch(session, mover, batchId)) settledBatches += 1;
  const payoutIds = moves.map(({ payoutId }) => payoutId);
  return { moved, payoutIds, unchanged: chosen.size - moves.length, settledBatches };
}

/** The batch is settled, in the same transaction, once all of its payouts have an answer. True when this did it. */
export async function settleBatch(session: Session, mover: Mover, batchId: string): Promise<boolean> {
  const settled = await session.sql
    .updateTable('payout_batch')
    .set({ status: 'settled' })
    .where('account_id', '=', mover.accountId)
    .where('id', '=', batchId)
    .where('status', '=', 'exported')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('payout')
            .where('account_id', '=', mover.accountId)
            .where('batch_id', '=', batchId)
            .where('status', 'not in', ['paid', 'failed', 'returned', 'canceled']),
        ),
      ),
    )
    .executeTakeFirst();
  return settled.numUpdatedRows > 0n;
}

/**
 * The payouts that the answers mean, by reference and by id. Their batches are locked first, in order, so that of two last
 * payouts at once one sees the other and settles the batch.
 */
async function lockPayouts(
  session: Session,
  { accountId }: Mover,
  answers: Answer[],
): Promise<Map<string, Payout>> {
  const keys = [...new Set(answers.map(({ payout }) => keyOf(payout)))];
  const ids = keys.filter((key) => readId(key));
  const wanted = sql`p.account_id = ${accountId}
    and (p.reference = any(${keys}::text[]) or p.id = any(${ids}::uuid[]))`;
  await sql`/* ledger.settle.lock */
    select from payout_batch b where b.account_id = ${accountId}
      and b.id in (select p.batch_id from payout p where ${wanted}) order by b.id for update`.execute(
    session.sql,
  );
  const { rows } = await sql<Payout>`/* ledger.settle.read */
    select p.id, p.batch_id as "batchId", p.reference, p.status, p.provider_reference as "providerReference",
      p.settled_by as "settledBy"
    from payout p where ${wanted}`.execute(session.sql);
  return new Map(
    rows.flatMap((row): [string, Payout][] => [
      [row.reference, row],
      [row.id, row],
    ]),
  );
}

/** The reference as it is stored, or the plain id. */
function keyOf(text: string): string {
  const read = readId(text);
  return read && (read.noun === undefined || read.noun === 'payout') ? read.id : text.trim().toUpperCase();
}

function assertComplete(answer: Answer): void {
  const { outcome, providerReference, reason } = answer;
  const about = `${shown(answer.payout)}${placeOf(answer)}`;
  if (outcome === 'paid' && !providerReference)
    throw new PayrunError('usage', "Marking a payout as paid needs the provider's reference.", {
      found: about,
      todo: 'Give it with --reference, or in the column "provider reference" of the file.',
    });
  if (outcome !== 'paid' && !reason)
    throw new PayrunError('usage', `Marking a payout as ${outcome} needs a reason.`, {
      found: about,
      todo: 'Give it with --reason, or in the column "reason" of the file.',
    });
}

/** What was given as a payout: it may be anything, and what is raised is logged. */
function shown(payout: string): string {
  return payout.includes('@') ? '(an e-mail address)' : payout.slice(0, 60);
}

function placeOf(...answers: Answer[]): string {
  const places = answers.flatMap(({ where }) => where ?? []);
  return places.length === 0 ? '' : ` (${listed(places)})`;
}

function notFound(unknown: string[]): PayrunError {
  return new PayrunError(
    'not-found',
    `The account has no such ${unknown.length === 1 ? 'payout' : 'payouts'}; nothing was marked.${listOf(unknown)}`,
    { todo: 'Check how each is written; "payrun payouts show <batch>" has the references.' },
  );
}

function contradicting(faults: string[]): PayrunError {
  return new PayrunError('state', `The books say otherwise; nothing was marked.${listOf(faults)}`, {
    todo: 'Look at each with "payrun explain <reference>", and for a payment made twice before anything else; then correct what is wrong and start again.',
  });
}

function listOf(items: string[]): string {
  const more = items.length - namedAtMost;
  const shown = items.slice(0, namedAtMost).map((item) => `\n  ${item}`);
  return shown.join('') + (more > 0 ? `\n  and ${more} more` : '');
}
