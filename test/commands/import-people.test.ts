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

test('a file of people whose columns have other names is refused with a proposal, and read with what it says', async () => {
  const shop = await openShop((await testDatabase()).url);
  const file = path.join(shop.cwd, 'partner.csv');
  await writeFile(file, 'Partner-Nr;Name;E-Mail;Land\nP-7;Pia;pia@example.com;DE\n');
  const refused = await payrun(['import', 'affiliates', 'partner.csv'], shop);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('The file has no column "ref"');
  expect(refused.stderr).toContain('Partner-Nr  ref    P-7\n');
  expect(refused.stderr).toContain('--map ref="Partner-Nr" --map email="E-Mail"');
  expect(refused.stderr).not.toContain('pia@');
  const map = ['--map', 'ref=Partner-Nr', '--map', 'email=E-Mail'];
  expect(await payrunJson(['import', 'affiliates', 'partner.csv', ...map], shop)).toMatchObject({
    recorded: 1,
    warnings: [expect.stringContaining('"Land": not read')],
  });
  const wrong = await payrun(['import', 'affiliates', 'partner.csv', '--map', 'iban=Land'], shop);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('one of ref, name, email')]);
  await writeFile(file, 'ref,name,E-Mail\nP-7,Pia,pia@example.com\n');
  expect(await payrunJson(['import', 'affiliates', 'partner.csv'], shop)).toMatchObject({
    warnings: [expect.stringContaining('to have them read, import with --map email="E-Mail"')],
  });
  await writeFile(file, 'Affiliate,Kundennummer\nP-7,K-1\n');
  const referrals = ['import', 'referrals', 'partner.csv', '--map', 'customer_id=#2'];
  expect(await payrunJson(referrals, shop)).toMatchObject({ recorded: 1, warnings: [] });
});
