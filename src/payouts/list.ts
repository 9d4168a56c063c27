import { sql } from 'kysely';
import type { Sql } from '../db/connect.ts';
import type { BatchStatus, PayoutMethod, PayoutStatus, ProgramRow } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { consentOf, stillNeeded } from '../ledger/consent.ts';
import { periodLabel } from './period.ts';

/** A batch as lists show it; ids are UUIDs, amounts minor units of its currency. */
export interface BatchSummary {
  batchId: string;
  program: string;
  /** As people name it: `2026-02`. */
  period: string;
  /** The programme's. */
  timezone: string;
  currency: string;
  method: PayoutMethod;
  status: BatchStatus;
  /** How many persons the programme asks for. */
  approval: ProgramRow['payout_approval'];
  preparedBy: string;
  preparedAt: Date;
  approvedBy: string | null;
  /** Who has said yes, and who must still, in words. */
  saidYes: string[];
  stillNeeded: string | undefined;
  exportedAt: Date | null;
  files: string[];
  /** Payouts that are not canceled, and their sum. */
  payouts: number;
  amount: bigint;
}

export interface BatchDetails extends BatchSummary {
  byStatus: { status: PayoutStatus; payouts: number; amount: bigint }[];
}

/** The newest batches of an account, newest first, behind the batch `after` where it is given; of one status where it is given. */
export async function listBatches(
  db: Sql,
  accountId: number,
  {
    status,
    limit = 50,
    after,
  }: { status?: BatchStatus | undefined; limit?: number; after?: string | undefined } = {},
): Promise<BatchSummary[]> {
  const batches = await selectBatches(db, accountId)
    .$if(status !== undefined, (query) => query.where('b.status', '=', status!))
    .$if(after !== undefined, (query) => query.where('b.id', '<', after!))
    .orderBy('b.id', 'desc')
    .limit(limit)
    .execute();
  return batches.map(toSummary);
}

/** One batch with its payouts counted by status. Raises `not-found`. */
export async function showBatch(db: Sql, accountId: number, batchId: string): Promise<BatchDetails> {
  const batch = await selectBatches(db, accountId).where('b.id', '=', batchId).executeTakeFirst();
  if (!batch) {
    throw new PayrunError('not-found', 'There is no such payout batch in this account.', {
      found: showId('batch', batchId),
    });
  }
  const byStatus = await sql<BatchDetails['byStatus'][number]>`/* payouts.by-status */
    select status, count(*)::integer as payouts, sum(amount)::bigint as amount
    from payout where account_id = ${accountId} and batch_id = ${batchId}::uuid
    group by status order by status`.execute(db);
  return { ...toSummary(batch), byStatus: byStatus.rows };
}

function selectBatches(db: Sql, accountId: number) {
  return db
    .selectFrom('payout_batch as b')
    .innerJoin('program as g', (join) =>
      join.onRef('g.account_id', '=', 'b.account_id').onRef('g.id', '=', 'b.program_id'),
    )
    .select(['b.id', 'g.ref', 'g.timezone', 'b.period_start', 'b.period_end', 'b.currency', 'b.method'])
    .select([
      'b.status',
      'b.prepared_by',
      'b.prepared_by_person',
      'b.prepared_at',
      'b.first_approved_by',
      'b.approved_by',
      'g.payout_approval',
      'b.exported_at',
      'b.export_files',
    ])
    .select([
      sql<number>`(select count(*) from payout p where p.account_id = ${accountId} and p.batch_id = b.id
        and p.status <> 'canceled')::integer`.as('payouts'),
      sql<bigint>`(select coalesce(sum(p.amount), 0) from payout p where p.account_id = ${accountId}
        and p.batch_id = b.id and p.status <> 'canceled')::bigint`.as('amount'),
    ])
    .where('b.account_id', '=', accountId);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectBatches>['execute']>>[number];

function toSummary(row: Row): BatchSummary {
  const consent = consentOf(row, row.payout_approval);
  return {
    batchId: row.id,
    program: row.ref,
    period: periodLabel({ start: row.period_start, end: row.period_end }, row.timezone),
    timezone: row.timezone,
    currency: row.currency,
    method: row.method,
    status: row.status,
    approval: row.payout_approval,
    preparedBy: row.prepared_by,
    preparedAt: row.prepared_at,
    approvedBy: row.approved_by,
    saidYes: consent.saidYes,
    stillNeeded: stillNeeded(consent),
    exportedAt: row.exported_at,
    files: (row.export_files ?? []).map((file) => file.name),
    payouts: row.payouts,
    amount: row.amount,
  };
}
