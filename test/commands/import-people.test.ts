import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop } from './shop.ts';

test('a dry run of affiliates shows who would change, says how many more, and ends with a plan that does it', async () => {
  const shop = await openShop((await testDatabase()).url);
  const people = (name: string) =>
    Array.from({ length: 52 }, (_, n) => `p${n + 1},${name} ${n + 1}\n`).join('');
  await writeFile(path.join(shop.cwd, 'people.csv'), `ref,name\n${people('Old')}`);
  await payrunJson(['import', 'affiliates', 'people.csv'], shop);
  await writeFile(path.join(shop.cwd, 'people.csv'), `ref,name\n${people('New')}new,\n`);
  const { code, stdout } = await payrun(['import', 'affiliates', 'people.csv', '--dry-run'], shop);
  expect(code).toBe(3);
  expect(stdout).toContain(
    'affiliate p50: name Old 50 -> New 50\n  and 2 more\n\nRejected: 1 row to correct\n',
  );
  const plan = /--plan (\w{6}-\w{6}-\w{6})\.\n$/.exec(stdout)?.[1];
  const imported = ['import', 'affiliates', 'people.csv', '--plan', plan!];
  expect(await payrunJson(imported, shop, 3)).toMatchObject({ updated: 52, rejected: 1 });
});
