import { beforeAll, expect, test } from 'vitest';
import type { Db } from '../../src/db/connect.ts';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop } from './shop.ts';

let db: Db;
let url: string;

beforeAll(async () => {
  ({ db, url } = await testDatabase());
});

interface Books {
  account: string;
  findings: unknown[];
  balances: Record<string, string>[];
}

test('books that add up are shown as an equation per currency, with code 0', async () => {
  const shop = await openShop(url);
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  const [books] = (await payrunJson(['audit'], shop)) as Books[];
  expect(books).toMatchObject({ account: shop.account, findings: [] });
  const { currency, earned, ...held } = books!.balances[0]!;
  expect({ currency, earned }).toEqual({ currency: 'USD', earned: '572.00' });
  const cents = Object.values(held).map((amount) => Number(amount.replace('.', '')));
  expect(cents.reduce((sum, amount) => sum + amount, 0)).toBe(57_200);
  const { stdout } = await payrun(['audit'], shop);
  expect(stdout).toMatch(/earned +pending .*ready/);
  expect(stdout).toMatch(/572\.00 USD +=.*2\.00 USD/);
  expect(stdout).toContain('The books add up to the cent.');
});

test('one cent adrift is found, named, and ends with code 1', async () => {
  const shop = await openShop(url);
  const sale = (await payrunJson(['explain', 'INV-1'], shop)) as { affiliate: string };
  await db.sql
    .updateTable('commission')
    .set((row) => ({ amount: row('amount', '+', 1n) }))
    .where('account_id', '=', ({ selectFrom }) =>
      selectFrom('account').select('account_id').where('ref', '=', shop.account),
    )
    .where('amount', '=', 30_000n)
    .execute();
  const { code, stdout } = await payrun(['audit'], shop);
  expect(code).toBe(1);
  expect(stdout).toContain(sale.affiliate);
  expect(stdout).toContain('302.01 USD');
  expect(stdout).not.toContain('add up to the cent');
});
