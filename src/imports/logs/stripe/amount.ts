import { type AmountFault, exponentOf, maxMinorUnits } from '../../../money.ts';

/**
 * The decimals of Stripe's amounts, which are not ISO 4217's (docs.stripe.com/currencies, read in 2026): none for these,
 * three for those, two for all others. ISK and UGX have no decimals, but are sent as if they had two, which are 00.
 */
const withoutDecimals = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '));
const withThree = new Set('BHD JOD KWD OMR TND'.split(' '));

/**
 * Our minor units of `amount`, a number as Stripe's API gives it, in `currency` (upper case). Exact: what our unit
 * can't hold is a fault, as is a number beyond those that JSON carries to the last digit.
 */
export function minorUnits(
  amount: unknown,
  currency: string,
): bigint | AmountFault | 'charge-negative' | 'integer-unsafe' {
  if (typeof amount !== 'number' || !Number.isInteger(amount)) return 'amount-format';
  if (amount < 0) return 'charge-negative';
  if (!Number.isSafeInteger(amount)) return 'integer-unsafe';
  const decimals = withoutDecimals.has(currency) ? 0 : withThree.has(currency) ? 3 : 2;
  const shift = exponentOf(currency) - decimals;
  const factor = 10n ** BigInt(Math.abs(shift));
  const stated = BigInt(amount);
  if (shift < 0 && stated % factor !== 0n) return 'amount-decimals';
  const minor = shift < 0 ? stated / factor : stated * factor;
  return minor > maxMinorUnits ? 'amount-too-large' : minor;
}
