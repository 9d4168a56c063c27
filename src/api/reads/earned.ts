import type { Db } from '../../db/connect.ts';

/** What a sale earned when it was recorded, in minor units of its programme's currency; 0 where it earns nothing. */
export async function earnedBy(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  conversionId: string,
): Promise<bigint> {
  const row = await db
    .selectFrom('commission')
    .select('amount')
    .where('account_id', '=', accountId)
    .where('id', '=', conversionId)
    .executeTakeFirst();
  return row?.amount ?? 0n;
}
