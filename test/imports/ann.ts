import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Db } from '../../src/db/connect.ts';
import { type Desk, type DeskSettings, openDesk } from '../support/desk.ts';

export const header = 'external_id,affiliate,amount,currency,occurred_at';

/** A file of three sales, the second of which names nobody that is known. */
export const three = `${header}
s-1,ann,100.00,USD,2026-01-10
s-2,nobody,100.00,USD,2026-01-10
s-3,ann,100.00,USD,2026-01-10
`;

/** A desk that knows Ann alone. */
export async function deskOfAnn(db: Db, settings?: DeskSettings): Promise<Desk> {
  const desk = await openDesk(db, settings);
  await desk.world.affiliate({ ref: 'ann' });
  return desk;
}

/** What the database says of a desk's imports. */
export async function importsOf({ world }: Desk) {
  return world.db.sql
    .selectFrom('import')
    .selectAll()
    .where('account_id', '=', world.accountId)
    .orderBy('id')
    .execute();
}

/** The files below a folder of the workspace, hidden ones too. */
export async function filesIn(desk: Desk, folder: string): Promise<string[]> {
  const entries = await readdir(path.join(desk.workspace, folder), {
    recursive: true,
    withFileTypes: true,
  }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(path.join(desk.workspace, folder), path.join(entry.parentPath, entry.name)))
    .sort();
}
