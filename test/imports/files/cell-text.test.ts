import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shownDate, shownIsoDate, shownNumber } from '../../../src/imports/files/cell-text.ts';
import { holds } from '../../support/property.ts';

describe('a number of a workbook', () => {
  test.each([
    ['4.3499999999999996', '4.35'],
    ['0.30000000000000004', '0.3'],
    ['1E-007', '0.0000001'],
    ['1.5e3', '1500'],
    ['-12.50', '-12.5'],
    ['-0', '0'],
    ['.5', '0.5'],
    ['999999999999.9999', '1000000000000'],
    ['123456789012345', '123456789012345'],
  ])('%s is %s, as Excel shows it', (stored, shown) => {
    expect(shownNumber(stored)).toBe(shown);
  });

  test.each([
    ['1234567890123456', '1.23456789012346E+15'],
    ['999999999999999.9', '1E+15'],
  ])('%s has more digits than Excel keeps, and says so', (stored, shown) => {
    expect(shownNumber(stored)).toBe(shown);
  });

  test('shown as a percentage has its point two places to the right', () => {
    expect(['0.125', '1', '0.07000000000000001', '0'].map((stored) => shownNumber(stored, 2))).toEqual([
      '12.5',
      '100',
      '7',
      '0',
    ]);
  });

  test.each(['', 'abc', '.', '1,5', '0x10', '1e9999'])('"%s" is none', (stored) => {
    expect(shownNumber(stored)).toBeUndefined();
  });

  test('is what it is when written out: amounts survive any arithmetic of a spreadsheet', async () => {
    const cents = fc.integer({ min: -9_000_000_000_000, max: 9_000_000_000_000 });
    await holds(
      fc.property(cents, (amount) => {
        const text = `${amount < 0 ? '-' : ''}${String(Math.abs(amount)).padStart(3, '0').replace(/(..)$/, '.$1')}`;
        const plain = text.replace(/\.?0+$/, '').replace(/^-0?$/, '0');
        // The nearest double, and a neighbour of it as sums and products give.
        const stored = Number(text);
        const beside = stored * (1 + Number.EPSILON);
        for (const digits of [String(stored), stored.toExponential(), beside.toPrecision(17)])
          expect(shownNumber(digits)).toBe(plain === '' ? '0' : plain);
      }),
    );
  });
});

describe('a date of a workbook', () => {
  test('is taken to the second, because days are stored as fractions', () => {
    expect(shownDate(new Date('2026-05-02T23:59:58.999Z'))).toBe('2026-05-02T23:59:59');
    expect(shownDate(new Date('2026-05-02T23:59:59.999Z'))).toBe('2026-05-03');
    expect(shownDate(new Date(Number.NaN))).toBe('#####');
  });

  test('that is stored as text is read as it stands, in no zone', () => {
    expect(shownIsoDate('2026-05-01T10:30:00.000Z')).toBe('2026-05-01T10:30:00');
    expect(shownIsoDate('2026-05-01T00:00:00')).toBe('2026-05-01');
  });
});
