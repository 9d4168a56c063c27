import type { RawBuilder } from 'kysely';
import type { Db } from '../../src/db/connect.ts';

/**
 * The rows of a query over a ledger of any size. What the server knows of tables that a test has just filled is chance:
 * with nested loops, the same query may take a minute now and then.
 */
export async function readMany<T>(db: Db, query: RawBuilder<T>): Promise<T[]> {
  return db.transaction(async (session) => {
    await session.client.query('set local enable_nestloop = off');
    return (await query.execute(session.sql)).rows;
  });
}
