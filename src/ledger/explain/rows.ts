import type { Selectable } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Tables } from '../../db/tables.ts';

type WithId =
  | 'adjustment'
  | 'affiliate'
  | 'commission'
  | 'conflict'
  | 'conversion'
  | 'import'
  | 'incentive'
  | 'payout'
  | 'payout_batch'
  | 'program'
  | 'run';

/** The row of that id; undefined where there is none, or no id. */
export async function rowOf<Table extends WithId>(
  session: Session,
  accountId: number,
  table: Table,
  id: string | null | undefined,
): Promise<Selectable<Tables[Table]> | undefined> {
  if (id === null || id === undefined) return undefined;
  const row = await session.sql
    .selectFrom(table as 'affiliate')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row as Selectable<Tables[Table]> | undefined;
}

/** The same for a row that must be there. */
export async function theRowOf<Table extends WithId>(
  session: Session,
  accountId: number,
  table: Table,
  id: string,
): Promise<Selectable<Tables[Table]>> {
  const row = await rowOf(session, accountId, table, id);
  if (!row) throw new Error(`A row of ${table} is missing; "payrun audit" says what dangles.`);
  return row;
}
