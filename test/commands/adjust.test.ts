import { beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop } from './shop.ts';

let url: string;

beforeAll(async () => {
  url = (await testDatabase()).url;
});

const because = ['--reason', 'paid twice', '--by', 'Grace'];

test('an adjustment is booked by name, explained, and paid with the rest', async () => {
  const shop = await openShop(url);
  await payrunJson(['release', '--as-of', '2026-03-02'], shop);
  const wish = ['adjust', 'ADA10', '-12.50', ...because];
  expect(await payrunJson([...wish, '--dry-run'], shop)).toMatchObject({
    run: null,
    totals: { USD: { adjusted: '-12.50' } },
  });
  const done = (await payrunJson(wish, shop)) as { report: { adjustment: string } };
  expect(done).toMatchObject({
    counts: { adjustments: 1 },
    report: { affiliate: 'ada', amount: '-12.50', currency: 'USD', reason: 'paid twice', by: 'Grace' },
  });
  await payrunJson(['adjust', 'bob', '1000', '--currency', 'jpy', ...because], shop);
  const said = await payrun(['explain', done.report.adjustment], shop);
  expect(said.stdout).toMatch(/-12\.50 USD +ready for payment[\s\S]*reason +paid twice[\s\S]*made by +Grace/);
  const later = ['payouts', 'prepare', '--by', 'ada', '--as-of', '2027-02-02', '--dry-run'];
  expect(await payrunJson(later, shop)).toMatchObject({
    totals: { USD: { payouts: '287.50' }, JPY: { payouts: '1000' } },
  });
  expect((await payrun(['audit'], shop)).code).toBe(0);
});

test('what is no exact amount, affiliate, currency, programme or person is refused, and books nothing', async () => {
  const shop = await openShop(url);
  const wishes: [string[], string][] = [
    [['ada', '1.005', ...because], 'more decimals than USD'],
    [['ada', '1,000.00', ...because], 'no amount'],
    [['ada', '0', ...because], 'nothing'],
    [['ada', '5', '--currency', 'XXX', ...because], 'ISO 4217'],
    [['ada', '5', '--program', 'other', ...because], '--program: main'],
    [['INV-1', '5', ...because], 'no such affiliate'],
    [['ada', '5', '--reason', 'x', '--by', 'Payrun'], 'nobody'],
    [['ada', '5', '--reason', ' ', '--by', 'Grace'], 'reason'],
    [['ada', '5', '--by', 'Grace'], '--reason'],
  ];
  for (const [args, said] of wishes)
    expect(await payrun(['adjust', ...args], shop)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(said),
    });
  expect((await payrun(['explain', 'ada'], shop)).stdout).not.toMatch(/ready +5\.00/);
});
