import { readFile } from 'node:fs/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { deskWithTwo, header } from './selling.ts';

const { db } = await testDatabase();
const migration = new URL('../../src/db/migrations/0002_leaner_hot_path.sql', import.meta.url);

test('sales that were recorded before fingerprints changed have the ones that they would get today', async () => {
  const desk = await deskWithTwo(db);
  const rows = [
    's-1,ann,100.00,USD,2026-01-12,b;a',
    's-2,Bob,0.01,USD,2026-01-12T23:59:59.5Z,',
    's-3,ann,7,USD,2026-01-12,ü"',
  ];
  await desk.land(
    'sales',
    `${[`${header},product_ids`, ...rows.map((row) => row.replace('ü"', '"ü"""'))].join('\n')}\n`,
  );
  const expression = /fingerprint type bytea\s+using (substring\(.*?for 16\));/s.exec(
    await readFile(migration, 'utf8'),
  )?.[1];
  const compared = await sql<{ external_id: string; same: boolean }>`
    select external_id, fingerprint = ${sql.raw(expression ?? '')} as same from conversion
    where account_id = ${desk.world.accountId} order by external_id`.execute(db.sql);
  expect(compared.rows).toEqual(['s-1', 's-2', 's-3'].map((external_id) => ({ external_id, same: true })));
});
