import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  exponentOf,
  formatAmount,
  formatPercent,
  isCurrency,
  isOrWasCurrency,
  lastDayOf,
  maxMinorUnits,
  parseAmount,
  parsePercent,
  showAmount,
  showCount,
} from '../src/money.ts';
import { holds } from './support/property.ts';

const currency = fc.constantFrom('USD', 'EUR', 'JPY', 'CLP', 'KWD', 'TND', 'CLF', 'UYW', 'HUF', 'MGA');
const minor = fc.bigInt({ min: -maxMinorUnits, max: maxMinorUnits });

describe('amounts', () => {
  test('what is written is read back to the cent, in every currency', async () => {
    await holds(
      fc.property(currency, minor, (code, amount) => {
        expect(parseAmount(formatAmount(amount, code), code)).toBe(amount);
      }),
      1000,
    );
  });

  test('a written amount has exactly the decimals of its currency', async () => {
    await holds(
      fc.property(currency, minor, (code, amount) => {
        const decimals = formatAmount(amount, code).split('.')[1]?.length ?? 0;
        expect(decimals).toBe(exponentOf(code));
      }),
    );
  });

  test('the number of decimals is that of ISO 4217, not that of the runtime', () => {
    const decimals = (codes: string) => new Set(codes.split(' ').map(exponentOf));
    expect(decimals('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF')).toEqual(
      new Set([0]),
    );
    expect(decimals('BHD IQD JOD KWD LYD OMR TND')).toEqual(new Set([3]));
    expect(decimals('CLF UYW')).toEqual(new Set([4]));
    expect(decimals('USD EUR HUF TWD AFN MGA MRU IRR COP')).toEqual(new Set([2]));
  });

  test('codes in circulation are known; withdrawn ones, metals and test codes are not, and case counts', () => {
    for (const code of ['USD', 'CHF', 'XCG', 'ZWG', 'SLE', 'VED', 'XAF']) expect(isCurrency(code)).toBe(true);
    for (const code of ['XAU', 'XTS', 'XXX', 'DEM', 'HRK', 'usd', 'US', '', 'constructor'])
      expect(isCurrency(code)).toBe(false);
  });

  test('a withdrawn code has a last day, and is one that was in circulation', () => {
    expect([lastDayOf('HRK'), lastDayOf('BGN'), lastDayOf('EUR'), lastDayOf('constructor')]).toEqual([
      '2022-12-31',
      '2025-12-31',
      undefined,
      undefined,
    ]);
    for (const code of ['HRK', 'BGN', 'EUR']) expect(isOrWasCurrency(code)).toBe(true);
    for (const code of ['XXX', 'constructor', '']) expect(isOrWasCurrency(code)).toBe(false);
  });

  test('more decimals than the currency has are refused, never rounded; zeros beyond them are none', () => {
    expect(parseAmount('1.005', 'USD')).toBe('amount-decimals');
    expect(parseAmount('12.50', 'JPY')).toBe('amount-decimals');
    expect(parseAmount('1500.00', 'JPY')).toBe(1500n);
    expect(parseAmount('1.0100', 'USD')).toBe(101n);
    expect(parseAmount('0.0001', 'CLF')).toBe(1n);
  });

  test('4.35 is 435 cents, and what floating point makes of it never matters', () => {
    expect(parseAmount('4.35', 'USD')).toBe(435n);
    expect(parseAmount('1.15', 'USD')).toBe(115n);
    expect(parseAmount('90071992547.41', 'USD')).toBe('amount-too-large');
    expect(parseAmount('8007199254.41', 'USD')).toBe(800719925441n);
  });

  test.each([
    [
      '',
      '-',
      '+',
      '.',
      '.5',
      '5.',
      '1,234.50',
      '12,50',
      '1 234',
      '1e3',
      '0x10',
      '１２',
      '12-',
      '(12)',
      '--1',
      '$5',
      'NaN',
    ],
  ])('text that is no plain number is no amount', (...texts) => {
    for (const text of texts) expect([text, parseAmount(text, 'USD')]).toEqual([text, 'amount-format']);
  });

  test('the largest amount is 9,000,000,000,000 minor units, and one more is refused', () => {
    expect(parseAmount('90000000000.00', 'USD')).toBe(maxMinorUnits);
    expect(parseAmount('90000000000.01', 'USD')).toBe('amount-too-large');
    expect(parseAmount('-90000000000.01', 'USD')).toBe('amount-too-large');
    expect(parseAmount('9000000000000', 'JPY')).toBe(maxMinorUnits);
    expect(parseAmount(`${'0'.repeat(40)}9000000000000`, 'JPY')).toBe(maxMinorUnits);
    expect(parseAmount('9'.repeat(400), 'JPY')).toBe('amount-too-large');
    expect(maxMinorUnits * 1_000_000n + 500_000n).toBeLessThan(2n ** 63n);
  });

  test('people read thousands apart and the currency behind', () => {
    expect(showAmount(123456789n, 'USD')).toBe('1,234,567.89 USD');
    expect(showAmount(-123456n, 'USD')).toBe('-1,234.56 USD');
    expect(showAmount(-123n, 'JPY')).toBe('-123 JPY');
    expect(showAmount(5n, 'KWD')).toBe('0.005 KWD');
    expect(showAmount(-5n, 'USD')).toBe('-0.05 USD');
    expect(showCount(1204)).toBe('1,204');
  });
});

describe('percentages', () => {
  test('what is written is read back exactly, to parts per million', async () => {
    await holds(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (ppm) => {
        expect(parsePercent(formatPercent(ppm))).toBe(ppm);
      }),
      1000,
    );
  });

  test('0 to 100 with at most four decimals, and nothing else', () => {
    const read = ['0', '20', '12.5', '100', '100.0000', '0.0001'].map(parsePercent);
    expect(read).toEqual([0, 200_000, 125_000, 1_000_000, 1_000_000, 1]);
    for (const text of ['', '100.0001', '101', '-1', '1.00001', '20%', '1e1', '.5', '5.', ' 5'])
      expect([text, parsePercent(text)]).toEqual([text, undefined]);
  });

  test('no needless zeros', () => {
    expect([125_000, 200_000, 1, 0, 100_100].map(formatPercent)).toEqual([
      '12.5',
      '20',
      '0.0001',
      '0',
      '10.01',
    ]);
  });
});
