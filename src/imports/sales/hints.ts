import type { Db } from '../../db/connect.ts';

/** Those of several folded names that are an affiliate's. */
export type LookUp = (names: string[]) => Promise<string[]>;

/**
 * The look-up of affiliates for `PresetRows`. It has a connection of its own, because that of the import may be in the
 * middle of recording a batch.
 */
export function affiliatesNamed(db: Db, accountId: number): LookUp {
  return async (names) => {
    const rows = await db.sql
      .selectFrom('affiliate_key')
      .select('folded')
      .distinct()
      .where('account_id', '=', accountId)
      .where('folded', 'in', names)
      .execute();
    return rows.map((row) => row.folded);
  };
}
