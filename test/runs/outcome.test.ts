import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAmount } from '../../src/money.ts';
import { addOutcomes } from '../../src/runs/outcome.ts';

test('counts and totals of two outcomes add up, name by name and currency by currency', () => {
  const sum = addOutcomes(
    {
      counts: { rows: 2, recorded: 2 },
      totals: { USD: { sales: '99.95' }, JPY: { sales: '1200' } },
      exitCode: 3,
    },
    {
      counts: { rows: 1, rejected: 1 },
      totals: { USD: { sales: '0.10', commissions: '-5.00' } },
      report: 'later',
    },
  );
  expect(sum).toEqual({
    counts: { rows: 3, recorded: 2, rejected: 1 },
    totals: { USD: { sales: '100.05', commissions: '-5.00' }, JPY: { sales: '1200' } },
    report: 'later',
    exitCode: 3,
  });
});

test('totals are exact for any two amounts, of either sign, beyond what a float can hold', () => {
  const amounts = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
  fc.assert(
    fc.property(amounts, amounts, fc.constantFrom('USD', 'JPY', 'KWD'), (a, b, currency) => {
      const outcome = (amount: bigint) => ({
        counts: {},
        totals: { [currency]: { sales: formatAmount(amount, currency) } },
      });
      const sum = addOutcomes(outcome(a), outcome(b));
      expect(sum.totals[currency]?.sales).toBe(formatAmount(a + b, currency));
    }),
    { seed: 20260302 },
  );
});
