import { expect, test } from 'vitest';
import type { Session } from '../../src/db/connect.ts';
import { auditBooks } from '../../src/ledger/audit.ts';
import { declineBanned } from '../../src/ledger/decline.ts';
import { undoImport } from '../../src/ledger/undo.ts';
import { testDatabase } from '../support/database.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { rowsPassed } from '../support/plans.ts';
import type { World } from '../support/world.ts';
import { payOut } from './refunding.ts';
import { landFile, release } from './undoing.ts';

/** A plan for few rows grows with the square of the sales: 2,000 make millions. */
const rows = 2_000;
const mostPassed = 200 * rows;
const affiliates = 200;

/** A desk with an import of that many sales, of an account that the server thinks has none: it has looked before. */
async function deskBeyondStatistics(): Promise<{ desk: Desk; importId: string }> {
  const { db } = await testDatabase();
  await landMany(await openDesk(db), 'old');
  await db.session(({ client }) => client.query('analyze'));
  const desk = await openDesk(db, { program: { payout_approval: 'manual' } });
  return { desk, importId: await landMany(desk, 'new') };
}

async function landMany(desk: Desk, prefix: string): Promise<string> {
  const numbered = (count: number, line: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => line(n)).join('\n');
  await desk.land(
    'affiliates',
    `ref,name,payout_method,payout_destination\n${numbered(affiliates, (n) => `a-${n},Kim,paypal,a-${n}@example.com`)}\n`,
  );
  const sale = (n: number) => `${prefix}-${n},a-${n % affiliates},100.00,USD,2026-01-10T10:00:00Z`;
  return landFile(desk, [numbered(rows, sale)]);
}

/** Does `work` and audits the books, by plans that pass on few rows; returns the statements, by name, and how many. */
async function thriftily(world: World, work: (session: Session) => Promise<void>) {
  const passed = await world.db.transaction((session) =>
    rowsPassed(session, async () => {
      await work(session);
      expect(await auditBooks(session, world.accountId)).toEqual([]);
    }),
  );
  expect([...passed].filter(([, count]) => count > mostPassed)).toEqual([]);
  return passed;
}

test('the commissions of many who were banned are declined by a plan for many rows', async () => {
  const { world } = (await deskBeyondStatistics()).desk;
  await world.db.sql
    .updateTable('affiliate')
    .set({ status: 'banned' })
    .where('account_id', '=', world.accountId)
    .execute();
  const passed = await thriftily(world, async (session) => {
    expect(await declineBanned(session, world.mover)).toBe(rows);
  });
  expect(passed.has('ledger.decline_banned')).toBe(true);
});

test.each(['pending', 'in draft payouts'])(
  'an import whose commissions are %s is undone by plans for many rows',
  async (where) => {
    const { desk, importId } = await deskBeyondStatistics();
    const { world } = desk;
    if (where !== 'pending') {
      await release(desk);
      await payOut(world, 'draft');
    }
    const passed = await thriftily(world, async (session) => {
      const { counts } = await undoImport(session, world.mover, { importId, by: 'Ada', reason: 'wrong' });
      expect(counts.sales).toBe(rows);
    });
    expect(passed.has('ledger.take_back.sales')).toBe(true);
  },
);
