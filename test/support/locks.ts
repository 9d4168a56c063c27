import type { Db } from '../../src/db/connect.ts';

/** Waits, by asking, until a session of this database waits for a lock, or until `work` has ended without waiting. */
export async function waitsForLock(db: Db, work: Promise<unknown>): Promise<void> {
  let ended = false;
  const note = () => {
    ended = true;
  };
  work.then(note, note);
  while (!ended) {
    const waiting = await db.session(({ client }) =>
      client.query<{ sessions: number }>(
        `select count(*)::integer as sessions from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      ),
    );
    if (waiting.rows[0]!.sessions > 0) return;
  }
}
