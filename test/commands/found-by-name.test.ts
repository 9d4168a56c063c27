import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop } from './shop.ts';

const { url } = await testDatabase();

test('a name that two things share is told with the ids of both, each of which is explained', async () => {
  const shop = await openShop(url);
  const sale = 'external_id,affiliate,amount,currency,occurred_at\nada,bob,5.00,USD,2026-01-10T12:00:00Z\n';
  await writeFile(path.join(shop.cwd, 'shared.csv'), sale);
  await payrunJson(['import', 'sales', 'shared.csv'], shop);
  const run = await payrun(['explain', 'ada'], shop);
  expect(run.code).toBe(2);
  const ids = run.stderr.match(/^ {2}(?:com|aff)_[0-9a-z]{26}/gm)?.map((id) => id.trim()) ?? [];
  expect(ids).toHaveLength(2);
  for (const id of ids) expect((await payrun(['explain', id], shop)).code).toBe(0);
});

test('an import is found by the name of its file, and several of one name are listed', async () => {
  const shop = await openShop(url);
  const one = await payrun(['imports', 'show', 'affiliates.csv'], shop);
  expect(one.stdout).toMatch(/^affiliates\.csv {2}imp_/);
  const sales = 'external_id,affiliate,amount,currency,occurred_at\nX-1,bob,5.00,USD,2026-01-10T12:00:00Z\n';
  await writeFile(path.join(shop.cwd, 'sales.csv'), sales);
  await payrunJson(['import', 'sales', path.join(shop.cwd, 'sales.csv')], shop);
  const both = await payrunJson(['imports', 'show', 'sales.csv'], shop);
  expect(both).toHaveLength(2);
  const none = await payrun(['imports', 'show', 'ales.csv'], shop);
  expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('[not-found]') });
});
