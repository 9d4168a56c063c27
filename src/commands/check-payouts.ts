import type { Config } from '../config.ts';
import type { Db } from '../db/connect.ts';
import { readPayoutWarnings } from '../payouts/payout.ts';

/** Notes about people whose payout method has no file, or does not carry what they have earned. */
export async function checkPayouts(
  config: Config,
  db: Db,
): Promise<{ check: 'payouts'; status: 'note'; message: string }[]> {
  const refs = config.accounts.map((account) => account.ref);
  const accounts = await db.sql
    .selectFrom('account')
    .select(['account_id', 'ref'])
    .where('ref', 'in', refs)
    .orderBy('ref')
    .execute();
  const found = await Promise.all(
    accounts.map(async ({ account_id, ref }) => {
      const warnings = await readPayoutWarnings(db.sql, account_id);
      return warnings.map((warning) => (refs.length > 1 ? `${ref}: ${warning}` : warning));
    }),
  );
  return found.flat().map((message) => ({ check: 'payouts', status: 'note', message }));
}
