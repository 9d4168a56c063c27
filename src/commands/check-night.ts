import type { Config } from '../config.ts';
import type { Db } from '../db/connect.ts';
import { showId } from '../ids.ts';
import { listRuns } from '../runs/history.ts';
import { plural } from './render.ts';

/** One line an account about what its last night left to people; the report of the night has it. */
export async function checkNight(
  config: Config,
  db: Db,
): Promise<{ check: 'night'; status: 'note'; message: string }[]> {
  const refs = config.accounts.map((account) => account.ref);
  const accounts = await db.sql
    .selectFrom('account')
    .select(['account_id', 'ref'])
    .where('ref', 'in', refs)
    .orderBy('ref')
    .execute();
  const found = await Promise.all(
    accounts.map(async ({ account_id, ref }) => {
      const [night] = await listRuns(db, account_id, { job: 'nightly', limit: 1 });
      const count = night?.counts?.for_a_person ?? 0;
      if (!night || count === 0) return [];
      const whose = refs.length > 1 ? `${ref}: ` : '';
      return [
        `${whose}the last night left ${plural(count, 'thing')} for a person to do: payrun runs show ${showId('run', night.id)}`,
      ];
    }),
  );
  return found.flat().map((message) => ({ check: 'night', status: 'note', message }));
}
