import type { Session } from '../db/connect.ts';
import { showId } from '../ids.ts';
import { type ToDo, toDo } from '../ledger/to-do.ts';
import { openRejects } from './open-rejects.ts';

/** The rejected rows of all imports of an account that nobody has corrected and imported again. */
export async function toDoInImports(session: Session, accountId: number): Promise<ToDo[]> {
  const open = await openRejects(session, accountId);
  const parts = open.map(({ left, finished_at }) => ({
    count: left,
    currency: null,
    amount: null,
    since: finished_at,
  }));
  const [first, ...others] = open;
  const command =
    first && others.length === 0
      ? `payrun imports show ${showId('import', first.id)}`
      : 'payrun imports list --rejects';
  return toDo('rejected_rows', parts, command);
}
