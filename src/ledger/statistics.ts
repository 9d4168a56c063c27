import type { Session } from '../db/connect.ts';

const manyRows = 10_000;

/**
 * After many rows were written the server's statistics may still speak of few, or of rows in another state. What comes
 * next in the night would be planned for them, and a nested loop over a million rows does not end before morning.
 */
export async function refreshStatistics(
  session: Session,
  tables: ('conversion' | 'commission')[],
  rows: number,
): Promise<void> {
  if (rows >= manyRows) await session.client.query(`analyze ${tables.join(', ')}`);
}
