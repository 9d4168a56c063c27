import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { payrun, payrunJson } from '../commands/payrun.ts';
import { openShop, type Shop } from '../commands/shop.ts';
import { testDatabase } from '../support/database.ts';

const { url } = await testDatabase();

const header = 'external_id,affiliate,amount,currency,occurred_at,product_ids';

async function land(
  shop: Shop,
  name: string,
  rows: string[],
  code: number,
): Promise<Record<string, unknown>> {
  await writeFile(path.join(shop.cwd, name), `${[header, ...rows].join('\n')}\n`);
  return (await payrunJson(['import', 'sales', name], shop, code)) as Record<string, unknown>;
}

test('another version of a sale is looked at, accepted, and told of where the commission is explained', async () => {
  const shop = await openShop(url);
  await writeFile(
    path.join(shop.cwd, 'again.csv'),
    `${header}\nINV-3,bob,120.00,USD,2026-01-11T12:00:00Z,\n`,
  );
  const landed = await payrun(['import', 'sales', 'again.csv'], shop);
  expect([landed.code, landed.stdout]).toEqual([3, expect.stringContaining('payrun conflicts list')]);
  const [{ conflict }] = (await payrunJson(['conflicts', 'list'], shop)) as [{ conflict: string }];
  expect((await payrun(['conflicts', 'show', conflict], shop)).stdout).toContain(
    `payrun conflicts accept ${conflict}`,
  );

  const accept = ['conflicts', 'accept', conflict, '--by', 'Ada', '--reason', 'the invoice says so'];
  const wouldBe = await payrun([...accept, '--dry-run'], shop);
  expect(wouldBe.stdout).toMatch(/bob +pending +4\.00 USD/);
  expect(await payrunJson(['conflicts', 'list'], shop)).toHaveLength(1);
  expect(await payrunJson(accept, shop)).toMatchObject({
    counts: { accepted: 1, lines: 1 },
    totals: { USD: { commissions: '4.00' } },
    report: {
      sale: 'INV-3',
      way: 'restated',
      booked: [{ affiliate: 'bob', amount: '4.00', status: 'pending' }],
    },
  });
  expect((await payrun(accept, shop)).stderr).toContain('The conflict was decided before: accepted by Ada.');
  expect((await payrun(['conflicts', 'show', conflict], shop)).stdout).toMatch(
    /amount +100\.00 +120\.00 +differs/,
  );

  const told = (await payrun(['explain', 'INV-3'], shop)).stdout;
  for (const part of [
    'At first 20.00 USD, for the sale as it was recorded.',
    'Since its last correction 24.00 USD:',
    '20 % of 120.00 USD',
    `the version of ${conflict} was accepted, by Ada (the invoice says so); it earns 4.00 USD more, booked as 4.00 USD`,
  ])
    expect(told).toContain(part);

  await land(shop, 'third.csv', ['INV-3,ada,120.00,USD,2026-01-11T12:00:00Z,'], 3);
  const [other] = (await payrunJson(['conflicts', 'list'], shop)) as [{ conflict: string }];
  await payrunJson(['conflicts', 'accept', other.conflict, '--by', 'Eve'], shop);
  const now = (await payrun(['explain', 'INV-3'], shop)).stdout;
  expect(now).toMatch(/accepted by Eve in place of cnv_/);
  const [replaced] = /cnv_\w+/.exec(now)!;
  const before = (await payrun(['explain', replaced], shop)).stdout;
  expect(before).toContain('a version with another affiliate was accepted');
  expect(before).toContain('it earns 24.00 USD less');
  expect((await payrun(['audit'], shop)).code).toBe(0);
});

test('the wrong file is imported, undone and put right; every step says what it does', async () => {
  const shop = await openShop(url, { payout_approval: 'automatic', minimum_payout: '0' });
  const rows = ['MAR-1,ada,500.00,USD,2026-01-15T12:00:00Z,', 'MAR-2,bob,40.00,USD,2026-01-15T12:00:00Z,'];
  const wrong = await land(shop, 'march.csv', rows, 0);
  const asOf = ['--as-of', '2026-03-02T02:00:00Z'];
  await payrunJson(['release', ...asOf], shop);
  await payrunJson(['payouts', 'prepare', '--by', 'ada', ...asOf], shop);
  await payrunJson(['payouts', 'export'], shop);

  const undo = ['imports', 'undo', String(wrong.import)];
  const mute = await payrun(undo, shop);
  expect(mute).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('This is missing: --by <name>, --reason <text>.'),
  });
  const named = [...undo, '--by', 'Ada', '--reason', 'the amounts are those of April'];
  const wouldBe = await payrun([...named, '--dry-run'], shop);
  expect(wouldBe.stdout).toContain('dry run: nothing was kept');
  expect(wouldBe.stdout).toMatch(/sales +2/);
  expect(wouldBe.stdout).toMatch(/USD +540\.00 USD +108\.00 USD +-108\.00 USD/);
  expect(wouldBe.stdout).toMatch(/ada +USD +0\.00 +0\.00 +100\.00 +0\.00/);
  expect(await payrunJson(named, shop)).toMatchObject({
    counts: { sales: 2 },
    totals: { USD: { booked: '-108.00' } },
  });
  expect(await payrun(named, shop)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The import was undone before, by Ada.'),
  });

  expect((await payrun(['imports', 'list'], shop)).stdout).toMatch(/march\.csv[\s\S]*?undone 20.*, by Ada/);
  const shown = (await payrun(['imports', 'show', String(wrong.import)], shop)).stdout;
  expect(shown).toMatch(/undone +20.*, by Ada: the amounts are those of April/);
  expect(await payrunJson(['imports', 'show', String(wrong.import)], shop)).toMatchObject({
    undone: { by: 'Ada', reason: 'the amounts are those of April' },
  });
  const told = (await payrun(['explain', 'MAR-1'], shop)).stdout;
  expect(told).toMatch(/external id +MAR-1\n/);
  expect(told).toMatch(/counts no more +the import was undone/);
  expect(told).toContain(
    `the import march.csv (${wrong.import}) was undone, by Ada (the amounts are those of April); it earns 100.00 USD less, booked as -100.00 USD`,
  );

  const right = rows.map((row) => row.replace('500.00', '50.00'));
  expect(await land(shop, 'march-right.csv', right, 0)).toMatchObject({ recorded: 2, conflicts: 0 });
  expect(await land(shop, 'march.csv', rows, 3)).toMatchObject({ duplicates: 1, conflicts: 1 });
  expect((await payrun(['explain', 'MAR-1'], shop)).stdout).toContain('50.00 USD');
  expect((await payrun(['audit'], shop)).code).toBe(0);
});
