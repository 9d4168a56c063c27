import { describe, expect, test } from 'vitest';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { earned, header, landNumbered, ruledDesks } from './selling.ts';

const { db } = await testDatabase();
const deskWith = ruledDesks(db);

describe('which rule applies', () => {
  const incentives = [
    { ref: 'pro', percent: '30', product_ids: ['p1', 'p2'] },
    { ref: 'price', percent: '31', price_ids: ['x'] },
    { ref: 'yearly', percent: '32', interval: 'yearly' },
    { ref: 'sub', percent: '33', subscription_only: true },
  ];
  const more = ',product_ids,price_ids,interval,is_subscription';

  test('one whose conditions all match: a common product, a common price, the interval, a subscription', async () => {
    const desk = await deskWith({ incentives });
    const sale = 'ann,100.00,USD,2026-01-10';
    await landNumbered(
      desk,
      more,
      `${sale},p2;p9,,,`,
      `${sale},,x|z,,`,
      `${sale},,,yearly,`,
      `${sale},,,,yes`,
      `${sale},p9,z,monthly,no`,
    );
    expect(await earned(desk)).toEqual({
      's-1': 'pro 3000',
      's-2': 'price 3100',
      's-3': 'yearly 3200',
      's-4': 'sub 3300',
      's-5': 'default 2000',
    });
  });

  test('most conditions first, then the higher priority', async () => {
    const desk = await deskWith({
      incentives: [
        { ref: 'one', percent: '90', product_ids: ['p1'], priority: 99 },
        { ref: 'two', percent: '10', product_ids: ['p1'], interval: 'yearly' },
        { ref: 'high', percent: '50', price_ids: ['x'], priority: 2 },
        { ref: 'low', percent: '60', interval: 'monthly', priority: 1 },
      ],
    });
    await landNumbered(
      desk,
      ',product_ids,price_ids,interval',
      'ann,100.00,USD,2026-01-10,p1,,yearly',
      'ann,100.00,USD,2026-01-10,,x,monthly',
    );
    expect(await earned(desk)).toEqual({ 's-1': 'two 1000', 's-2': 'high 5000' });
  });

  test('an override replaces a percentage, the default’s too, and leaves a fixed amount alone', async () => {
    const desk = await deskWith({
      incentives: [
        { ref: 'pro', percent: '30', product_ids: ['p1'] },
        { ref: 'seat', fixed: '25.00', product_ids: ['p2'] },
      ],
    });
    const sale = 'bob,100.00,USD,2026-01-10';
    await landNumbered(desk, ',product_ids', `${sale},p1`, `${sale},p2`, `${sale},`);
    expect(await earned(desk)).toEqual({
      's-1': 'pro 4000 overridden',
      's-2': 'seat 2500',
      's-3': 'default 4000 overridden',
    });
  });

  test('without any and without a default the sale is recorded, earns nothing, and says why', async () => {
    const desk = await deskWith({
      commission: undefined,
      incentives: [{ ref: 'pro', percent: '30', product_ids: ['p1'] }],
    });
    await landNumbered(desk, ',product_ids', 'ann,100.00,USD,2026-01-10,p1', 'bob,100.00,USD,2026-01-10,p2');
    expect(await earned(desk)).toEqual({
      's-1': 'pro 3000',
      's-2': 'no incentive matches and the programme has no default commission',
    });
  });

  test('the days of hold come from the row, else the incentive, else the programme; 0 is at once', async () => {
    const desk = await deskWith({
      hold_days: 10,
      incentives: [
        { ref: 'held', percent: '30', product_ids: ['p1'], hold_days: 45 },
        { ref: 'inherits', percent: '30', product_ids: ['p2'] },
        { ref: 'none', percent: '30', product_ids: ['p3'], hold_days: 0 },
      ],
    });
    const sale = 'ann,100.00,USD,2026-01-10T10:00:00Z';
    await landNumbered(
      desk,
      ',product_ids,hold_days',
      `${sale},p1,7`,
      `${sale},p1,0`,
      `${sale},p1,`,
      `${sale},p2,`,
      `${sale},p3,`,
      `${sale},,`,
    );
    const rows = [...(await booked(desk.world)).values()];
    expect(rows.map((row) => row.hold_days)).toEqual([7, 0, 45, 10, 0, 10]);
    expect(rows.map((row) => row.hold_until!.toISOString().slice(0, 10))).toEqual([
      '2026-01-17',
      '2026-01-10',
      '2026-02-24',
      '2026-01-20',
      '2026-01-10',
      '2026-01-20',
    ]);
  });

  test('a change of the programme changes new sales only', async () => {
    const desk = await deskWith({});
    await landNumbered(desk, '', 'ann,100.00,USD,2026-01-10');
    await db.sql
      .updateTable('program')
      .set({ rate_ppm: 500_000, hold_days: 1 })
      .where('account_id', '=', desk.world.accountId)
      .execute();
    await desk.land('sales', `${header}\ns-1,ann,100.00,USD,2026-01-10\nt-1,ann,100.00,USD,2026-01-10\n`);
    expect(await earned(desk)).toEqual({ 's-1': 'default 2000', 't-1': 'default 5000' });
  });
});

describe('an incentive that ends', () => {
  const more = ',customer_id';

  test('after three payments takes the next rule, counting in order of date whatever order the rows have', async () => {
    const incentives = [
      { ref: 'first-three', percent: '50', duration: { payments: 3 }, priority: 1 },
      { ref: 'then', percent: '10' },
    ];
    const sale = (day: number) => `ann,100.00,USD,2026-01-${String(day).padStart(2, '0')},c1`;
    const desk = await deskWith({ incentives });
    await landNumbered(
      desk,
      more,
      sale(14),
      sale(11),
      sale(15),
      sale(12),
      sale(13),
      'ann,100.00,USD,2026-01-20,c2',
    );
    expect(await earned(desk)).toEqual({
      's-1': 'then 1000',
      's-2': 'first-three 5000',
      's-3': 'then 1000',
      's-4': 'first-three 5000',
      's-5': 'first-three 5000',
      's-6': 'first-three 5000',
    });
    // A later file counts what was recorded before, also when its sale is older.
    await desk.land('sales', `${header}${more}\nt-1,ann,100.00,USD,2026-01-01,c1\n`);
    expect((await earned(desk))['t-1']).toBe('then 1000');
  });

  test('after twelve months: the same moment a year later earns no more, one second before still does', async () => {
    const incentives = [{ ref: 'first-year', percent: '50', duration: { months: 12 } }];
    const desk = await deskWith({ incentives });
    const sale = (moment: string) => `ann,100.00,USD,${moment},c1`;
    await landNumbered(
      desk,
      more,
      sale('2026-02-28T12:00:00'),
      sale('2025-02-28T12:00:00'),
      sale('2026-02-28T11:59:59'),
      sale('2025-06-01'),
    );
    expect(await earned(desk)).toEqual({
      's-1': 'default 2000',
      's-2': 'first-year 5000',
      's-3': 'first-year 5000',
      's-4': 'first-year 5000',
    });
  });

  test('after a month that began on the 31st ends with the shorter month, on the programme’s calendar', async () => {
    const incentives = [{ ref: 'month', percent: '50', duration: { months: 1 } }];
    const desk = await deskWith({ timezone: 'Asia/Tokyo', incentives });
    const sale = (moment: string) => `ann,100.00,USD,${moment}+09:00,c1`;
    await landNumbered(
      desk,
      more,
      sale('2026-01-31T00:30:00'),
      sale('2026-02-28T00:29:59'),
      sale('2026-02-28T00:30:00'),
    );
    expect(await earned(desk)).toEqual({ 's-1': 'month 5000', 's-2': 'month 5000', 's-3': 'default 2000' });
  });

  test('never ends for a sale whose customer nobody knows', async () => {
    const desk = await deskWith({ incentives: [{ ref: 'once', percent: '50', duration: { payments: 1 } }] });
    await landNumbered(desk, more, 'ann,100.00,USD,2026-01-10,', 'ann,100.00,USD,2026-01-11,');
    expect(await earned(desk)).toEqual({ 's-1': 'once 5000', 's-2': 'once 5000' });
  });
});
