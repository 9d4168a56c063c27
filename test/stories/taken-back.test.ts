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
  await land(shop, 'again.csv', ['INV-3,bob,120.00,USD,2026-01-11T12:00:00Z,'], 3);
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
