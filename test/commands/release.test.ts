import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop } from './shop.ts';

test('release and prepare say how many commissions are held, how much, why, and since when, oldest first', async () => {
  const { db, url } = await testDatabase();
  const shop = await openShop(url);
  await db.sql
    .updateTable('conversion')
    .set({ sales_status: 'open' })
    .where('external_id', '=', 'INV-3')
    .execute();
  await db.sql.updateTable('affiliate').set({ status: 'paused' }).where('ref', '=', 'cyd').execute();
  const held = {
    counts: { held: 2 },
    totals: { USD: { held: '270.00' } },
    report: {
      held: [
        { reason: 'affiliate_paused', commissions: 1, amount: '250.00', currency: 'USD' },
        { reason: 'sale_open', commissions: 1, amount: '20.00', currency: 'USD' },
      ],
      held_commissions: [
        {
          commission: expect.stringMatching(/^com_/),
          affiliate: 'bob',
          amount: '20.00',
          since: '2026-02-10T12:00:00.000Z',
          reason: 'sale_open',
        },
        { affiliate: 'cyd', amount: '250.00', reason: 'affiliate_paused' },
      ],
    },
  };
  const release = ['release', '--as-of', '2026-03-02'];
  expect(await payrunJson([...release, '--dry-run'], shop)).toMatchObject(held);
  expect(await payrunJson(release, shop)).toMatchObject({ ...held, counts: { released: 2, held: 2 } });
  const text = await payrun(release, shop);
  expect(text.stdout).toMatch(/^ +the affiliate is paused +1 +250\.00 USD +2026-02-10$/m);
  expect(text.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const prepare = ['payouts', 'prepare', '--by', 'ada', '--as-of', '2026-03-02', '--dry-run'];
  expect(await payrunJson(prepare, shop)).toMatchObject(held);
});
