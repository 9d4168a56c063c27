import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Session } from '../../../src/db/connect.ts';
import { testDatabase } from '../../support/database.ts';
import { rowsPassed } from '../../support/plans.ts';
import { World } from '../../support/world.ts';
import { ended, importInto } from './people-fixture.ts';

/** A plan for few rows grows with the square of the file: 2,000 rows make millions. */
const rows = 2_000;
const mostPassed = 250 * rows;

const files = {
  affiliates: (count: number, name: string) =>
    `ref,name,email,short_code\n${Array.from({ length: count }, (_, n) => `a-${n},${name},kim-${n}@example.com,S-${n}\n`).join('')}`,
  referrals: (count: number, status: string) =>
    `ref,affiliate,customer_id,email,status\n${Array.from({ length: count }, (_, n) => `r-${n},ada,c-${n},kim-${n}@example.com,${status}\n`).join('')}`,
};

test.each(['affiliates', 'referrals'] as const)(
  'a file of %s is taken in by plans for many rows, though the server thinks that the account has none',
  async (kind) => {
    const { db } = await testDatabase();
    const other = await World.create(db);
    await other.affiliate({ ref: 'ada' });
    await db.transaction((session) => importInto(session, other, kind, files[kind](rows, 'lead')));
    await db.session(({ client }) => client.query('analyze'));
    const world = await World.create(db);
    await world.affiliate({ ref: 'ada' });
    for (const [name, outcome] of [
      ['lead', { recorded: rows }],
      ['customer', { updated: rows }],
      ['customer', { duplicates: rows }],
    ] as const) {
      await db.transaction(async (session) => {
        const passed = await rowsPassed(session, async () => {
          expect(ended(await importInto(session, world, kind, files[kind](rows, name)))).toEqual(outcome);
        });
        expect(passed.size).toBeGreaterThan(4);
        expect([...passed].filter(([, count]) => count > mostPassed)).toEqual([]);
      });
    }
  },
);

test('a long file after a short one on the same connection does not check its keys by the plans for the short one', async () => {
  const { db } = await testDatabase();
  const world = await World.create(db);
  await db.transaction(async (session) => {
    await importInto(session, world, 'affiliates', files.affiliates(12, 'Kim'));
    const before = await affiliatesRead(session);
    const landed = await importInto(session, world, 'affiliates', files.affiliates(rows, 'Kim'));
    expect(ended(landed)).toEqual({ recorded: rows - 12, duplicates: 12 });
    expect((await affiliatesRead(session)) - before).toBeLessThan(mostPassed);
  });
});

/** How many rows of affiliates this transaction has read so far, for the checks of foreign keys too. */
async function affiliatesRead(session: Session): Promise<number> {
  const read = await sql<{ rows: number }>`
    select (seq_tup_read + idx_tup_fetch)::integer as rows
    from pg_stat_xact_user_tables where relid = 'affiliate'::regclass`.execute(session.sql);
  return read.rows[0]!.rows;
}
