import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minorUnits } from '../../../../src/imports/logs/stripe/amount.ts';
import { exponentOf, formatAmount } from '../../../../src/money.ts';
import { holds } from '../../../support/property.ts';

test.each([
  ['USD', 1099, '10.99'],
  ['EUR', 5, '0.05'],
  ['HUF', 150_000, '1500.00'],
  ['TWD', 80_045, '800.45'],
  ['JPY', 500, '500'],
  ['KRW', 500, '500'],
  ['CLP', 163_056, '163056'],
  ['MGA', 1500, '1500.00'],
  ['ISK', 50_000, '500'],
  ['UGX', 500, '5'],
  ['BHD', 5120, '5.120'],
  ['JOD', 5120, '5.120'],
  ['KWD', 5124, '5.124'],
  ['OMR', 10, '0.010'],
  ['TND', 0, '0.000'],
])('an amount in %s of %d is %s', (currency, amount, shown) => {
  const minor = minorUnits(amount, currency);
  expect(typeof minor === 'bigint' && formatAmount(minor, currency)).toBe(shown);
});

const noDecimals = 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ');

test.each(noDecimals)('%s has no decimals at Stripe', (currency) => {
  expect(minorUnits(7, currency)).toBe(7n * 10n ** BigInt(exponentOf(currency)));
});

test.each([
  ['a hundredth of a whole króna', 50_001, 'ISK', 'amount-decimals'],
  ['a hundredth of a shilling', 550, 'UGX', 'amount-decimals'],
  ['a fraction of a cent', 10.5, 'USD', 'amount-format'],
  ['text', '1099', 'USD', 'amount-format'],
  ['nothing', null, 'USD', 'amount-format'],
  ['an endless number', Number('1e400'), 'USD', 'amount-format'],
  ['less than nothing', -1, 'USD', 'charge-negative'],
  [
    'a number that JSON does not carry to the last digit',
    JSON.parse('9007199254740993'),
    'USD',
    'integer-unsafe',
  ],
  ['more than one row may have', 9_000_000_000_001, 'USD', 'amount-too-large'],
  ['more than one row may have in our unit', 90_000_000_000_01, 'MGA', 'amount-too-large'],
])('%s is refused', (_, amount, currency, fault) => {
  expect(minorUnits(amount, currency)).toBe(fault);
});

test('no amount is ever rounded: ours times their unit is theirs', async () => {
  const decimals = (currency: string) => (noDecimals.includes(currency) ? 0 : currency === 'KWD' ? 3 : 2);
  await holds(
    fc.property(
      fc.maxSafeNat(),
      fc.constantFrom('USD', 'JPY', 'ISK', 'UGX', 'KWD', 'MGA'),
      (amount, currency) => {
        const minor = minorUnits(amount, currency);
        if (typeof minor !== 'bigint') return;
        expect(minor * 10n ** BigInt(decimals(currency))).toBe(
          BigInt(amount) * 10n ** BigInt(exponentOf(currency)),
        );
      },
    ),
  );
});
