import { newId } from '../ids.ts';
import type { Sql } from './connect.ts';

/** Makes a source of requests under a name that the programme has none of yet. Returns whether it is new. */
export async function createRequestSource(
  db: Sql,
  accountId: number,
  { programId, name }: { programId: string; name: string },
  now: Date,
): Promise<boolean> {
  const made = await db
    .insertInto('request_source')
    .values({ account_id: accountId, id: newId(now), program_id: programId, name, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return made !== undefined;
}
