import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { BatchStatus, PayoutStatus } from '../db/tables.ts';
import { showId } from '../ids.ts';
import { type ToDo, toDo, type Waiting } from '../ledger/to-do.ts';

/** The batches to approve, those that a second person has to, and the payouts that left and were not answered. */
export async function toDoInPayouts(session: Session, accountId: number): Promise<ToDo[]> {
  const waiting = await sql<
    Waiting & { status: BatchStatus; again: boolean; batches: string[]; payouts: number }
  >`/* payouts.to-do */
    select b.status, b.first_approved_by is not null as again, b.currency, count(*)::integer as count,
      sum(p.payouts)::integer as payouts, sum(p.amount)::bigint as amount,
      min(coalesce(b.exported_at, b.first_approved_at, b.prepared_at)) as since, array_agg(b.id order by b.id) as batches
    from payout_batch b cross join lateral (
      select count(*) as payouts, coalesce(sum(amount), 0) as amount from payout
      where account_id = ${accountId} and batch_id = b.id and status = ${'exported' satisfies PayoutStatus}
        or account_id = ${accountId} and batch_id = b.id and status = 'draft' and b.status = 'draft'
    ) p
    where b.account_id = ${accountId} and b.status in ('draft', 'exported') and p.payouts > 0
    group by b.status, b.first_approved_by is not null, b.currency order by b.currency`.execute(session.sql);
  const drafts = waiting.rows.filter((row) => row.status === 'draft');
  const first = drafts.filter((row) => !row.again);
  const second = drafts.filter((row) => row.again);
  const left = waiting.rows.filter((row) => row.status === 'exported');
  const unanswered = left.map((row) => ({ ...row, count: row.payouts }));
  return [
    ...toDo('batches_to_approve', first, command(first, 'approve')),
    ...toDo('second_approvals', second, command(second, 'approve')),
    ...toDo('payouts_without_answer', unanswered, command(left, 'show')),
  ];
}

/** What to do with the only batch, or the list of them. */
function command(rows: { status: BatchStatus; batches: string[] }[], verb: 'approve' | 'show'): string {
  const [batch, ...others] = rows.flatMap(({ batches }) => batches);
  return batch && others.length === 0
    ? `payrun payouts ${verb} ${showId('batch', batch)}`
    : `payrun payouts list --status ${rows[0]?.status}`;
}
