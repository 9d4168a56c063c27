import { describe, expect, test } from 'vitest';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { earned, landNumbered, ruledDesks } from './selling.ts';

const { db } = await testDatabase();
const deskWith = ruledDesks(db);

describe('amounts', () => {
  test('a commission that rounds to zero is a line of zero', async () => {
    const desk = await deskWith({ commission: { percent: '20' } });
    await landNumbered(desk, '', 'ann,0.02,USD,2026-01-10', 'ann,0.00,USD,2026-01-10');
    expect(await earned(desk)).toEqual({ 's-1': 'default 0', 's-2': 'default 0' });
  });

  test.each([
    ['half_up', ['1', '2', '3', '4']],
    ['half_even', ['0', '2', '2', '4']],
  ])('half a cent is rounded %s', async (rounding, commissions) => {
    const desk = await deskWith({ rounding, commission: { percent: '50' } });
    await landNumbered(
      desk,
      '',
      ...['0.01', '0.03', '0.05', '0.07'].map((amount) => `ann,${amount},USD,2026-01-10`),
    );
    expect(Object.values(await earned(desk))).toEqual(commissions.map((one) => `default ${one}`));
  });

  test('the largest sale at 100 % earns itself', async () => {
    const desk = await deskWith({ commission: { percent: '100' } });
    await landNumbered(desk, '', 'ann,90000000000.00,USD,2026-01-10');
    expect(await earned(desk)).toEqual({ 's-1': 'default 9000000000000' });
  });

  test.each([
    ['USD', 'JPY', '1500', '0.0067', '201'],
    ['USD', 'KWD', '1.500', '3.2512', '98'],
    ['JPY', 'USD', '10.00', '151.25', '303'],
    ['KWD', 'JPY', '1000', '0.00205', '410'],
    ['JPY', 'KWD', '1.234', '492.1', '121'],
    ['KWD', 'USD', '10.00', '0.3071', '614'],
  ])(
    'in %s from %s %s at %s: the sale keeps its currency, the commission has the programme’s',
    async (to, from, amount, rate, commission) => {
      const desk = await deskWith({ currency: to }, [`${from},${to},2026-01-10,${rate},ECB`]);
      await landNumbered(desk, '', `ann,${amount},${from},2026-01-10T12:00:00Z`);
      const row = (await booked(desk.world)).get('s-1');
      expect(row).toMatchObject({ currency: from, commission: BigInt(commission), commission_currency: to });
      const { fx_rate, fx_day, fx_source } = await db.sql
        .selectFrom('commission')
        .selectAll()
        .where('account_id', '=', desk.world.accountId)
        .executeTakeFirstOrThrow();
      expect([Number(fx_rate), fx_day, fx_source]).toEqual([Number(rate), '2026-01-10', 'ECB']);
    },
  );

  test('an exchange is rounded once: what is below half a yen by its twentieth decimal is nothing', async () => {
    // 3 cents times this rate and percentage is 509999.49999999999999999999 JPY.
    const desk = await deskWith({ currency: 'JPY', commission: { percent: '99.9999' } }, [
      'EUR,JPY,2026-01-10,17000000.333333666667,ECB',
    ]);
    await landNumbered(desk, '', 'ann,0.03,EUR,2026-01-10T12:00:00Z');
    expect(await earned(desk)).toEqual({ 's-1': 'default 509999' });
  });

  test('the rate is that of the sale’s day in the programme’s zone; without one the row is rejected', async () => {
    const desk = await deskWith({ timezone: 'Asia/Tokyo' }, ['EUR,USD,2026-01-11,2,ECB']);
    await landNumbered(desk, '', 'ann,10.00,EUR,2026-01-10T15:00:00Z', 'ann,10.00,EUR,2026-01-10T14:59:59Z');
    expect(await earned(desk)).toEqual({ 's-1': 'default 400' });
  });
});
