import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { earned, landNumbered, ruledDesks } from './selling.ts';

const { db } = await testDatabase();
const deskWith = ruledDesks(db);

// Terms travel once, by number, so terms that only look alike must not share one.
test('terms that look alike are told apart: each row earns by its own', async () => {
  const incentives = [
    { ref: 'named-undefined', percent: '50', product_ids: ['undefined'] },
    { ref: 'one-of-two', percent: '60', product_ids: ['b'] },
    { ref: 'priced', percent: '70', price_ids: ['a'] },
  ];
  const desk = await deskWith({ incentives });
  const sale = 'ann,100.00,USD,2026-01-10';
  await landNumbered(
    desk,
    ',product_ids,price_ids',
    `${sale},,`,
    `${sale},undefined,`,
    `${sale},,undefined`,
    `${sale},a;b,`,
    `${sale},"a\nb",`,
    `${sale},"a\rb",`,
    `${sale},a,`,
    `${sale},,a`,
    `${sale},"a\rundefined",`,
  );
  expect(await earned(desk)).toEqual({
    's-1': 'default 2000',
    's-2': 'named-undefined 5000',
    's-3': 'default 2000',
    's-4': 'one-of-two 6000',
    's-5': 'default 2000',
    's-6': 'default 2000',
    's-7': 'default 2000',
    's-8': 'priced 7000',
    's-9': 'default 2000',
  });
});
