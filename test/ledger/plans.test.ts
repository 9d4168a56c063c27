import { expect, test } from 'vitest';
import { declineBanned } from '../../src/ledger/decline.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { rowsPassed } from '../support/plans.ts';
import { header } from './selling.ts';

/** A plan for few rows grows with the square of the sales: 2,000 make millions. */
const rows = 2_000;
const mostPassed = 50 * rows;
const affiliates = 200;

/** A desk with that many sales, of an account that the server thinks has none: it has looked only at another one's. */
async function deskBeyondStatistics(): Promise<Desk> {
  const { db } = await testDatabase();
  await landMany(await openDesk(db), 'old');
  await db.session(({ client }) => client.query('analyze'));
  const desk = await openDesk(db);
  await landMany(desk, 'new');
  return desk;
}

async function landMany(desk: Desk, prefix: string): Promise<void> {
  const numbered = (count: number, line: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => line(n)).join('\n');
  await desk.land('affiliates', `ref,name\n${numbered(affiliates, (n) => `a-${n},Kim`)}\n`);
  const sale = (n: number) => `${prefix}-${n},a-${n % affiliates},100.00,USD,2026-01-10T10:00:00Z`;
  await desk.land('sales', `${header}\n${numbered(rows, sale)}\n`);
}

test('the commissions of many who were banned are declined by a plan for many rows', async () => {
  const { world } = await deskBeyondStatistics();
  await world.db.sql
    .updateTable('affiliate')
    .set({ status: 'banned' })
    .where('account_id', '=', world.accountId)
    .execute();
  const passed = await world.db.transaction((session) =>
    rowsPassed(session, async () => {
      expect(await declineBanned(session, world.mover)).toBe(rows);
    }),
  );
  expect(passed.has('ledger.decline_banned')).toBe(true);
  expect([...passed].filter(([, count]) => count > mostPassed)).toEqual([]);
  expect(await audited(world)).toEqual([]);
});
