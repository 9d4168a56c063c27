import { expect, test } from 'vitest';
import { showId } from '../../src/ids.ts';
import { testDatabase } from '../support/database.ts';
import { World } from '../support/world.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop } from './shop.ts';
import { configOf, workspace } from './workspace.ts';

test('commissions that await approval become ready by name or all of a programme, and the books still balance', async () => {
  const { db, url } = await testDatabase();
  const world = await World.create(db, { commission_approval: 'manual', ref: 'main' });
  const place = { cwd: await workspace(configOf(world.accountRef)), url };
  const { id: affiliate } = await world.affiliate();
  const [first, second, held] = [
    await world.sale(affiliate, { status: 'pending_manual_approval' }),
    await world.sale(affiliate, { status: 'pending_manual_approval' }, { external_id: 'by-its-sale' }),
    await world.sale(affiliate, { status: 'pending' }),
  ];
  const statuses = async () => {
    const rows = await db.sql.selectFrom('commission').select(['id', 'status']).execute();
    return [first, second, held].map((id) => rows.find((row) => row.id === id)?.status);
  };

  const named = [
    'commissions',
    'approve',
    '--by',
    'ada',
    showId('commission', first),
    showId('commission', held),
  ];
  expect(await payrunJson(named, place, 3)).toMatchObject({
    counts: { approved: 1, not_awaiting_approval: 1 },
  });
  expect(await statuses()).toEqual(['ready_for_payment', 'pending_manual_approval', 'pending']);

  const all = ['commissions', 'approve', '--all-of', 'main', '--by', 'Ada'];
  expect(await payrunJson([...all, '--dry-run'], place)).toMatchObject({
    counts: { approved: 1 },
    report: {
      affiliates: [{ commissions: 1, amount: '20.00', currency: 'USD' }],
      commissions: [{ commission: showId('commission', second), sale: 'by-its-sale', amount: '20.00' }],
    },
  });
  const bySale = ['commissions', 'approve', '--by', 'ada', 'by-its-sale', '--dry-run'];
  expect(await payrunJson(bySale, place)).toMatchObject({ counts: { approved: 1 } });
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
  const { code, stderr } = await payrun(['commissions', 'approve', '--by', 'ada'], place);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('--all-of') });
});

test('commissions are listed page by page with what the filter comes to, as text, JSON or CSV', async () => {
  const { db, url } = await testDatabase();
  const shop = await openShop(url);
  type Listed = { commissions: { sale: string }[]; sums: unknown; next: string | null };
  const list = async (...flags: string[]) =>
    (await payrunJson(['commissions', 'list', ...flags], shop)) as Listed;
  const first = await list('--limit', '2', '--due-before', '2026-03-01');
  expect(first).toMatchObject({
    commissions: [
      {
        sale: 'INV-1',
        affiliate: 'ada',
        program: 'main',
        amount: '300.00',
        currency: 'USD',
        state: 'pending',
      },
      { sale: 'INV-3', affiliate: 'bob' },
    ],
    sums: [{ currency: 'USD', commissions: 3, amount: '570.00' }],
  });
  expect(await list('--due-before', '2026-03-01', '--after', first.next!)).toMatchObject({
    commissions: [{ sale: 'INV-4' }],
    sums: first.sums,
    next: null,
  });
  const sales = async (...flags: string[]) => (await list(...flags)).commissions.map(({ sale }) => sale);
  expect(await sales('--affiliate', 'ADA@example.com')).toEqual(['INV-1', 'INV-2']);
  expect(await sales('--status', 'ready')).toEqual([]);
  expect(await sales('--currency', 'eur')).toEqual([]);
  expect(await sales('--program', 'main', '--source', 'offline')).toHaveLength(4);
  await db.sql
    .updateTable('conversion')
    .set({ sales_status: 'trialing' })
    .where('external_id', '=', 'INV-3')
    .execute();
  await db.sql.updateTable('affiliate').set({ status: 'paused' }).where('ref', '=', 'cyd').execute();
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  expect(await list('--held')).toMatchObject({
    commissions: [
      { sale: 'INV-3', held: 'sale_trialing' },
      { sale: 'INV-4', held: 'affiliate_paused' },
    ],
    sums: [{ currency: 'USD', commissions: 2, amount: '270.00' }],
  });
  const text = await payrun(['commissions', 'list', '--held'], shop);
  expect(text.stdout).toMatch(/^INV-3 +bob +20\.00 USD +pending +2026-02-10 +the sale is a trial$/m);
  expect(text.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const csv = await payrun(['commissions', 'list', '--status', 'ready_for_payment', '--csv'], shop);
  const [header, ...rows] = csv.stdout.trim().split('\n');
  expect(header).toMatch(/^commission,affiliate,name,program,sale,/);
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatch(
    /^com_\w+,ada,Ada's Blog,main,INV-1,2026-01-10T12:00:00\.000Z,1000\.00,USD,300\.00,USD,ready,/,
  );
});

test('a filter that means nothing is refused with what it takes', async () => {
  const { url } = await testDatabase();
  const shop = await openShop(url);
  const said = [
    [['--affiliate', 'nobody'], 'There is no such affiliate'],
    [['--program', 'nothing'], 'no such programme'],
    [['--source', 'nothing'], 'no such source'],
    [['--due-before', '2026-02-30'], 'This is no day'],
    [['--currency', 'dollars'], 'no ISO 4217 currency'],
    [['--status', 'late'], 'Allowed choices'],
  ] as const;
  for (const [flags, message] of said) {
    const { code, stderr } = await payrun(['commissions', 'list', ...flags], shop);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  }
});
