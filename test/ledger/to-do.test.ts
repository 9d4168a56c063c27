import { expect, test } from 'vitest';
import { listConflicts } from '../../src/ledger/conflicts.ts';
import { keepConflicts } from '../../src/ledger/keep.ts';
import { toDoInBooks } from '../../src/ledger/to-do.ts';
import { testDatabase } from '../support/database.ts';
import { today, World } from '../support/world.ts';
import { disputes } from './disputing.ts';
import { refund } from './refunding.ts';
import { deskWithTwo, land } from './selling.ts';

const { db } = await testDatabase();

const todo = (world: World, asOf = today) =>
  db.transaction((session) => toDoInBooks(session, world.accountId, asOf));

test('commissions that await approval are counted without their reversals and summed with them', async () => {
  const world = await World.create(db, { commission_approval: 'manual' });
  const { id } = await world.affiliate();
  await world.sale(id, { status: 'pending_manual_approval' }, { external_id: 'S' });
  await world.sale(id, { status: 'pending_manual_approval', currency: 'EUR' });
  await world.sale(id);
  await refund(world, { saleExternalId: 'S', amount: 2_500n });
  expect(await todo(world)).toMatchObject([
    {
      what: 'commissions_to_approve',
      count: 2,
      amounts: { EUR: '20.00', USD: '15.00' },
      command: 'payrun commissions list --status awaiting',
    },
  ]);
});

test('a dispute is for a person once it has held something for more than 60 days', async () => {
  const world = await World.create(db);
  await world.sale((await world.affiliate()).id, {}, { external_id: 'S' });
  await disputes(world, { saleExternalId: 'S', occurredAt: '2026-02-20T12:00:00Z' });
  expect(await todo(world, new Date('2026-04-21T12:00:00Z'))).toEqual([]);
  expect(await todo(world, new Date('2026-04-21T12:00:01Z'))).toMatchObject([
    { what: 'long_disputes', count: 1, amounts: { USD: '20.00' }, since: '2026-02-20T12:00:00.000Z' },
  ]);
});

test('a refund whose sale is not known waits, and its sale ends the waiting', async () => {
  const world = await World.create(db);
  await refund(world, { externalId: 'R 1', saleExternalId: 'S', amount: 2_500n });
  expect(await todo(world)).toMatchObject([
    { what: 'parked_rows', count: 1, amounts: { USD: '25.00' }, command: "payrun explain 'R 1'" },
  ]);
});

test('a conflict waits until somebody decides it', async () => {
  const desk = await deskWithTwo(db);
  await land(desk, ['S,ann,100.00,USD,2026-01-10']);
  await land(desk, ['S,ann,120.00,USD,2026-01-10']);
  expect(await todo(desk.world)).toMatchObject([
    { what: 'conflicts', count: 1, command: 'payrun conflicts list' },
  ]);
  const [conflict] = await listConflicts(db.sql, desk.world.accountId, { all: false, limit: 1 });
  await db.transaction((session) =>
    keepConflicts(session, desk.world.mover, { conflictIds: [conflict!.id], by: 'Ada', reason: undefined }),
  );
  expect(await todo(desk.world)).toEqual([]);
});
