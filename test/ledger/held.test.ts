import { expect, test } from 'vitest';
import type { SalesStatus } from '../../src/db/tables.ts';
import { adjust } from '../../src/ledger/adjust.ts';
import { readHeld } from '../../src/ledger/held.ts';
import { releaseHolds } from '../../src/ledger/release.ts';
import { testDatabase } from '../support/database.ts';
import { openDesk } from '../support/desk.ts';
import { rowsPassed } from '../support/plans.ts';
import { today, World } from '../support/world.ts';
import { disputes } from './disputing.ts';
import { refund } from './refunding.ts';

const { db } = await testDatabase();
const asOf = new Date('2026-03-01T00:00:00Z');

/** What is held of a world after a release: the lines by sale, and the sums without their dates. */
async function held(world: World) {
  const { sums, oldest } = await db.transaction(async (session) => {
    await releaseHolds(session, world.mover, { asOf });
    return readHeld(session, world.accountId, asOf);
  });
  const named = await Promise.all(
    oldest.map(async ({ id, reason, since }) => {
      const sale = await db.sql
        .selectFrom('conversion')
        .select('external_id')
        .where('account_id', '=', world.accountId)
        .where('id', '=', id)
        .executeTakeFirst();
      return `${sale?.external_id ?? 'reversal'} ${reason} ${since.toISOString().slice(0, 10)}`;
    }),
  );
  return { named, sums: sums.map(({ since: _, ...sum }) => sum) };
}

test('what is held says why and since when, oldest first, and is summed by reason and currency', async () => {
  const world = await World.create(db);
  const { id } = await world.affiliate();
  const old = { hold_until: new Date('2026-01-15T12:00:00Z') };
  const sale = (external_id: string, sales_status: SalesStatus = 'complete', commission = {}) =>
    world.sale(id, commission, { external_id, sales_status });
  await sale('S');
  await sale('open', 'open', old);
  await sale('trial', 'trialing', { currency: 'EUR' });
  await sale('trial-2', 'trialing', { currency: 'EUR' });
  await sale('free');
  await sale('later', 'open', { hold_until: new Date(asOf.getTime() + 1) });
  await world.sale((await world.affiliate({ status: 'paused' })).id, {}, { external_id: 'paused' });
  await world.sale((await world.affiliate({ status: 'pending' })).id, {}, { external_id: 'new' });
  const banned = await world.affiliate({ status: 'banned' });
  await world.sale(banned.id, { status: 'ready_for_payment' }, { external_id: 'banned' });
  await world.sale(banned.id, {}, { external_id: 'banned before its release' });
  await disputes(world, { saleExternalId: 'S' });
  const { named, sums } = await held(world);
  expect(named[0]).toBe('open sale_open 2026-01-15');
  expect(named.at(-1)).toBe('S open_dispute 2026-02-20');
  expect(named.slice(1, -1).sort()).toEqual([
    'banned affiliate_banned 2026-02-09',
    'banned before its release affiliate_banned 2026-02-09',
    'new affiliate_pending 2026-02-09',
    'paused affiliate_paused 2026-02-09',
    'trial sale_trialing 2026-02-09',
    'trial-2 sale_trialing 2026-02-09',
  ]);
  const sum = (reason: string, currency: string, lines: number) => ({
    reason,
    currency,
    lines,
    amount: 2_000n * BigInt(lines),
  });
  expect(sums).toEqual([
    sum('sale_open', 'USD', 1),
    sum('affiliate_banned', 'USD', 2),
    sum('affiliate_paused', 'USD', 1),
    sum('affiliate_pending', 'USD', 1),
    sum('sale_trialing', 'EUR', 2),
    sum('open_dispute', 'USD', 1),
  ]);
});

test('what is held for two reasons counts once, and what has left in a payout is not held', async () => {
  const world = await World.create(db);
  const paused = await world.affiliate({ status: 'paused' });
  await world.sale(paused.id, { status: 'ready_for_payment' }, { external_id: 'S' });
  await disputes(world, { saleExternalId: 'S' });
  expect((await held(world)).sums).toMatchObject([{ reason: 'open_dispute', lines: 1 }]);
  await disputes(world, { saleExternalId: 'S', state: 'won' });
  expect((await held(world)).sums).toMatchObject([{ reason: 'affiliate_paused', lines: 1 }]);
  await db.sql
    .updateTable('affiliate')
    .set({ status: 'active' })
    .where('account_id', '=', world.accountId)
    .execute();
  expect((await held(world)).sums).toEqual([]);
});

test('a reversal is held together with what it takes back, and what comes to nothing in sum is held as well', async () => {
  const world = await World.create(db);
  const paused = await world.affiliate({ status: 'paused' });
  await world.sale(paused.id, { status: 'ready_for_payment' }, { external_id: 'S' });
  await refund(world, { saleExternalId: 'S', amount: 2_500n });
  expect((await held(world)).sums).toMatchObject([{ lines: 2, amount: 1_500n }]);
  const taken = { programId: world.programId, currency: 'USD', reason: 'paid by hand', by: 'Ada' };
  await db.transaction((session) =>
    adjust(session, world.mover, [{ ...taken, affiliateId: paused.id, amount: -1_500n }]),
  );
  const { sums } = await db.transaction((session) => readHeld(session, world.accountId, today));
  expect(sums).toMatchObject([{ lines: 3, amount: 0n }]);
});

test('what holds commissions up is found without reading those that wait for the end of their hold or a payout', async () => {
  const desk = await openDesk(db);
  const { world } = desk;
  await desk.land('affiliates', 'ref,name\nann,Ann\n');
  const sale = (n: number, at: string, status: string) => `s-${n},ann,100.00,USD,${at},${status}`;
  const rows = Array.from({ length: 2_000 }, (_, n) =>
    sale(n, n % 2 === 0 ? '2026-01-10' : '2026-02-27', n === 0 ? 'trialing' : 'complete'),
  );
  await desk.land(
    'sales',
    `external_id,affiliate,amount,currency,occurred_at,sales_status\n${rows.join('\n')}\n`,
  );
  await db.transaction((session) => releaseHolds(session, world.mover, { asOf }));
  await db.session(({ client }) => client.query('analyze'));
  const passed = await db.transaction((session) =>
    rowsPassed(session, async () => {
      expect((await readHeld(session, world.accountId, asOf)).sums).toMatchObject([{ lines: 1 }]);
    }),
  );
  expect([...passed.values()].reduce((sum, count) => sum + count, 0)).toBeLessThan(100);
});
