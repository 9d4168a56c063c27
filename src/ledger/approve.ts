import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { leaveWholeUnits } from './carry.ts';
import { consentOf } from './consent.ts';
import { disputed } from './disputed.ts';
import { type Mover, postings } from './journal.ts';
import { lockBatch } from './lock-batch.ts';
import { isSamePerson, personNamed } from './person.ts';
import { type Refusal, refuseInactive } from './unclaim.ts';

/**
 * Says yes to a draft batch, by name. It is approved, with its payouts, once as many persons have said yes as the
 * programme asks for (see `consentOf`); until then it stays a draft. Raises `usage` without a person's name, `not-found`,
 * and `state` when the batch is no draft, or when two persons are asked for and `by` has said yes before.
 * With the approval payouts of affiliates who are not active, and those of less than their rail can carry, are refused and returned; when no other is left, the batch
 * is canceled, so that its period can be prepared again.
 */
export async function approveBatch(
  session: Session,
  mover: Mover,
  { batchId, by }: { batchId: string; by: string },
): Promise<Refusal[]> {
  const { accountId, now } = mover;
  const name = personNamed(by, 'An approval');
  const batch = await lockBatch(session, accountId, batchId);
  if (batch.status !== 'draft') {
    const who = batch.approved_by === null ? '' : `; it was approved by ${batch.approved_by}`;
    throw new PayrunError(
      'state',
      `Batch ${showId('batch', batchId)} is ${batch.status}, not a draft${who}.`,
    );
  }
  const program = await session.sql
    .selectFrom('program')
    .select('payout_approval')
    .where('account_id', '=', accountId)
    .where('id', '=', batch.program_id)
    .executeTakeFirstOrThrow();
  const { saidYes, needed } = consentOf(batch, program.payout_approval);
  const same = program.payout_approval === 'two_persons' && saidYes.find((one) => isSamePerson(one, name));
  if (same) {
    const how = isSamePerson(batch.first_approved_by ?? '', name) ? 'approved' : 'prepared';
    throw new PayrunError(
      'state',
      `The programme asks for two persons, and ${same} has ${how} this batch already.`,
      { found: by, todo: 'Let somebody else approve it, under their own name.' },
    );
  }
  if (needed === 2) {
    await sayYesFirst(session, mover, batchId, name);
    return [];
  }
  const refused = await refuseInactive(session, mover, batchId);
  refused.push(...(await leaveWholeUnits(session, mover, batch)));
  const approved = await approvePayouts(session, mover, batchId);
  const isEmptied = refused.length > 0 && approved === 0n;
  await session.sql
    .updateTable('payout_batch')
    .set(isEmptied ? { status: 'canceled' } : { status: 'approved', approved_by: name, approved_at: now })
    .where('account_id', '=', accountId)
    .where('id', '=', batchId)
    .where('status', '=', 'draft')
    .execute();
  return refused;
}

async function sayYesFirst(
  session: Session,
  { accountId, now }: Mover,
  batchId: string,
  name: string,
): Promise<void> {
  await session.sql
    .updateTable('payout_batch')
    .set({ first_approved_by: name, first_approved_at: now })
    .where('account_id', '=', accountId)
    .where('id', '=', batchId)
    .where('status', '=', 'draft')
    .execute();
}

async function approvePayouts(
  session: Session,
  { accountId, runId, now }: Mover,
  batchId: string,
): Promise<bigint> {
  const approved = await session.sql
    .updateTable('payout')
    .set({ status: 'approved', status_at: now, status_run_id: runId })
    .where('account_id', '=', accountId)
    .where('batch_id', '=', batchId)
    .where('status', '=', 'draft')
    .executeTakeFirst();
  return approved.numUpdatedRows;
}

/** Commissions of an affiliate that became ready, in minor units: reversals count in the amount, not in the lines. */
export interface Approved {
  /** Its ref. */
  affiliate: string;
  name: string;
  currency: string;
  lines: number;
  amount: bigint;
  /** The first of them, by id, reversals among them. */
  ids: string[];
}

const namedAtMost = 50;

/**
 * Moves commissions that await approval on to ready_for_payment, with their reversals: those named, or all of a
 * programme. Any other commission among them, those of banned affiliates, and those with an open dispute stay as they are.
 * Returns what moved, by affiliate and currency.
 */
export async function approveCommissions(
  session: Session,
  mover: Mover,
  which: { commissionIds: string[] } | { programId: string },
): Promise<Approved[]> {
  const chosen =
    'programId' in which
      ? sql`m.program_id = ${which.programId}::uuid`
      : sql`coalesce(m.reverses, m.id) = any(array(
          select coalesce(reverses, id) from commission
          where account_id = ${mover.accountId} and id = any(${which.commissionIds}::uuid[])))`;
  const approved = await approve(session, mover, chosen);
  // A refund that was booked while the first statement waited for its commission: it did not see the reversal.
  approved.push(...(await approve(session, mover, sql`${chosen} and m.reverses is not null`)));
  return approved;
}

async function approve(session: Session, mover: Mover, chosen: RawBuilder<unknown>): Promise<Approved[]> {
  const { accountId, runId, now } = mover;
  const approved = await sql<Approved>`/* ledger.approve */
    with approved as (
      update commission m set status = 'ready_for_payment', status_at = ${now}::timestamptz, status_run_id = ${runId}::uuid
      from affiliate a
      where m.account_id = ${accountId} and m.status = 'pending_manual_approval' and ${chosen}
        and a.account_id = ${accountId} and a.id = m.affiliate_id and a.status <> 'banned'
        and coalesce(m.reverses, m.id) <> all (${disputed(accountId)})
      returning m.id, m.affiliate_id, m.currency, m.amount, m.reverses, a.ref, a.name
    ),
    posted as (${postings(sql`approved`, mover, { movement: 'approve', from: 'awaiting', to: 'ready' })})
    select ref as affiliate, name, currency, (count(*) filter (where reverses is null))::integer as lines,
      sum(amount)::bigint as amount, (array_agg(id order by id))[1:${sql.lit(namedAtMost)}] as ids
    from approved group by ref, name, currency order by ref collate "C", currency`.execute(session.sql);
  return approved.rows;
}
