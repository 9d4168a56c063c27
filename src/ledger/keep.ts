import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { noSuchConflict } from './conflicts.ts';
import type { Mover } from './journal.ts';
import { personNamed } from './person.ts';

/**
 * Decides open conflicts for what is recorded: what came again is put aside, by name, and no money moves. All of them
 * or none. Raises `usage` without a name, `not-found`, and `state` when one was decided already: of two persons at the
 * same moment, the guard lets one through.
 */
export async function keepConflicts(
  session: Session,
  mover: Mover,
  choice: { conflictIds: string[]; by: string; reason: string | undefined },
): Promise<void> {
  await decideConflicts(session, mover, 'kept', choice);
}

/** Marks open conflicts as decided, which is the election between two persons; raises what `keepConflicts` does. */
export async function decideConflicts(
  session: Session,
  mover: Mover,
  status: 'kept' | 'accepted',
  { conflictIds, by, reason }: { conflictIds: string[]; by: string; reason: string | undefined },
): Promise<void> {
  const { accountId, runId, now } = mover;
  const name = personNamed(by, 'A decision about a conflict');
  const wanted = [...new Set(conflictIds)];
  const kept = await session.sql
    .updateTable('conflict')
    .set({
      status,
      decided_at: now,
      decided_by: name,
      decided_run_id: runId,
      reason: reason?.trim() || null,
    })
    .where('account_id', '=', accountId)
    .where('id', 'in', wanted)
    .where('status', '=', 'open')
    .returning('id')
    .execute();
  const left = wanted.find((id) => !kept.some((one) => one.id === id));
  if (left !== undefined) throw await notOpen(session, accountId, left);
}

async function notOpen(session: Session, accountId: number, conflictId: string): Promise<PayrunError> {
  const conflict = await session.sql
    .selectFrom('conflict')
    .select(['status', 'decided_by'])
    .where('account_id', '=', accountId)
    .where('id', '=', conflictId)
    .executeTakeFirst();
  if (!conflict) return noSuchConflict(conflictId);
  const shown = showId('conflict', conflictId);
  if (conflict.status === 'withdrawn')
    return new PayrunError('state', 'The conflict is withdrawn: its row, or its sale, counts no more.', {
      found: shown,
      todo: 'There is nothing to decide; a row that comes again is judged anew.',
    });
  return new PayrunError(
    'state',
    `The conflict was decided before: ${conflict.status} by ${conflict.decided_by}.`,
    {
      found: shown,
      todo: `Look at it with "payrun conflicts show ${shown}"; what was decided stays.`,
    },
  );
}
