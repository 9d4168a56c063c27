import { describe, expect, test } from 'vitest';
import { markerIn } from '../../../src/imports/values/currency-signs.ts';

describe('the currency that a header names', () => {
  test.each([
    ['Amount (EUR)', 'EUR'],
    ['Betrag €', '€'],
    ['€ Betrag', '€'],
    ['Umsatz in EUR', 'EUR'],
    ['NET EUR', 'EUR'],
    ['amount_eur', 'eur'],
    ['Total [gbp]', 'gbp'],
    ['USD amount', 'USD'],
    ['Subtotal ($)', '$'],
    ['Price US$', 'US$'],
    ['Pris (kr.)', 'kr.'],
  ])('%s', (header, marker) => {
    expect(markerIn(header)).toBe(marker);
  });

  test.each(['Amount', 'TOTAL ALL', 'TOP', 'Amount (net)', 'sale_top', 'Betrag brutto', 'Net sum', ''])(
    'is none where it has none: "%s"',
    (header) => {
      expect(markerIn(header)).toBe('');
    },
  );
});
