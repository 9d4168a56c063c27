import type { Session } from '../db/connect.ts';

const manyRows = 10_000;

/** As many rows may be gone through once for each of them, without anybody noticing. */
const fewRows = 1_000;

/**
 * How finely a column's values are sampled, of 100 that are usual: enough to tell a million rows from none and a status
 * from another, and in an eighth of the time. The server's own autovacuum looks more closely later.
 */
const fineness = 20;

/**
 * After many rows were written the server's statistics may still speak of few, or of rows in another state. What comes
 * next in the night would be planned for them, and a nested loop over a million rows does not end before morning. A
 * table that someone else is analysing at the moment is skipped, not waited for.
 */
export async function refreshStatistics(
  session: Session,
  tables: ('conversion' | 'commission')[],
  rows: number,
): Promise<void> {
  if (rows < manyRows) return;
  await session.client.query(
    `set local default_statistics_target = ${fineness}; analyze (skip_locked) ${tables.join(', ')}; ` +
      'set local default_statistics_target to default',
  );
}

/** The same before a statement that rests on commissions which an earlier transaction may have changed by the thousand. */
export async function refreshStaleStatistics(session: Session): Promise<void> {
  const { rows } = await session.client.query<{ changed: bigint }>(
    "select n_mod_since_analyze as changed from pg_stat_user_tables where relid = 'commission'::regclass",
  );
  await refreshStatistics(session, ['commission'], Number(rows[0]?.changed ?? 0));
}

/**
 * Has `work` done with plans for many rows. What the server knows of an account may be older than its rows; it then takes
 * a nested loop for cheap that reads all of them again for each row of another table. So do the plans by which this
 * session has checked foreign keys while there were few rows, unless they are forgotten.
 */
export async function plannedForMany<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const { rows } = await session.client.query<{ was: string }>(
    "select current_setting('enable_nestloop') as was",
  );
  await session.client.query('discard plans; set local enable_nestloop = off');
  const result = await work();
  await session.client.query(`set local enable_nestloop = ${rows[0]!.was}`);
  return result;
}

/**
 * The same where `rows` are many; few are better looked up one by one than by reading large tables to their end.
 */
export async function plannedFor<T>(rows: number, session: Session, work: () => Promise<T>): Promise<T> {
  return rows > fewRows ? plannedForMany(session, work) : work();
}
