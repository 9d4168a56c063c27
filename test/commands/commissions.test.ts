import { expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { payrun, payrunJson } from './payrun.ts';
import { configOf, workspace } from './workspace.ts';

test('commissions that await approval become ready by name or all of a programme, and the books still balance', async () => {
  const { db, url } = await testDatabase();
  const world = await World.create(db, { commission_approval: 'manual', ref: 'main' });
  const place = { cwd: await workspace(configOf(world.accountRef)), url };
  const { id: affiliate } = await world.affiliate();
  const [first, second, held] = [
    await world.sale(affiliate, { status: 'pending_manual_approval' }),
    await world.sale(affiliate, { status: 'pending_manual_approval' }),
    await world.sale(affiliate, { status: 'pending' }),
  ];
  const statuses = async () => {
    const rows = await db.sql.selectFrom('commission').select(['id', 'status']).execute();
    return [first, second, held].map((id) => rows.find((row) => row.id === id)?.status);
  };

  const named = ['commissions', 'approve', showId('commission', first), showId('commission', held)];
  expect(await payrunJson(named, place, 3)).toMatchObject({
    counts: { approved: 1, not_awaiting_approval: 1 },
  });
  expect(await statuses()).toEqual(['ready_for_payment', 'pending_manual_approval', 'pending']);

  const all = ['commissions', 'approve', '--all-of', 'main', '--by', 'Ada'];
  expect(await payrunJson([...all, '--dry-run'], place)).toMatchObject({ counts: { approved: 1 } });
  expect(await statuses()).toEqual(['ready_for_payment', 'pending_manual_approval', 'pending']);
  expect(await payrunJson(all, place)).toMatchObject({
    counts: { approved: 1 },
    totals: { USD: { approved: '20.00' } },
  });
  expect(await statuses()).toEqual(['ready_for_payment', 'ready_for_payment', 'pending']);
});

test('which commissions are meant has to be said, in one way', async () => {
  const { url } = await testDatabase();
  const place = { cwd: await workspace(configOf('acme')), url };
  const { code, stderr } = await payrun(['commissions', 'approve'], place);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--all-of') });
});
