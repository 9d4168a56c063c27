import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { Work } from '../runs/work.ts';

/**
 * Imports of one account go one after the other, because two large ones that share rows in another order would block
 * each other, and so do those who undo one. This is a courtesy between them: that nothing is recorded twice rests on the
 * unique key alone. One whose runner is dead is not waited for longer than its lease: the heart of every runner buries
 * the dead. Returns whether another one was waited for.
 */
export async function takeTurn(session: Session, work: Work): Promise<boolean> {
  const key = sql`7021, ${work.account.id}::integer`;
  const turn = await sql<{ taken: boolean }>`select pg_try_advisory_xact_lock(${key}) as taken`.execute(
    session.sql,
  );
  if (turn.rows[0]?.taken) return false;
  work.context.log.warning({ message: 'another import of this account is under way; waiting for it to end' });
  await sql`select pg_advisory_xact_lock(${key})`.execute(session.sql);
  return true;
}
