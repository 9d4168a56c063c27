import { formatAmount, minorUnitsOf } from '../../money.ts';
import { amountParts, type DecimalMark, readNumber } from '../values/numbers.ts';

/** Minor units of `text` in `currency`, which may be grouped; undefined for anything that is no plain amount. */
export function minorUnits(text: string, currency: string, decimal: DecimalMark): bigint | undefined {
  const parts = amountParts(text);
  const number = parts && parts.marker + parts.form === '' ? readNumber(parts.number, decimal) : undefined;
  const minor = number && minorUnitsOf(number.units, number.scale, currency);
  if (typeof minor !== 'bigint') return undefined;
  return parts?.isNegative ? -minor : minor;
}

/**
 * `whole` less `parts`, all texts in major units, as a plain decimal; where one of them can't be read, that text as it
 * is, so that its row is rejected and shows it.
 */
export function lessParts(whole: string, parts: string[], currency: string, decimal: DecimalMark): string {
  let rest = minorUnits(whole, currency, decimal);
  if (rest === undefined) return whole;
  for (const part of parts) {
    const amount = part === '' ? 0n : minorUnits(part, currency, decimal);
    if (amount === undefined) return part;
    rest -= amount;
  }
  return formatAmount(rest, currency);
}

/**
 * The part of `base` that is refunded when `refunded` of `total` is, such as that of a subtotal when tax and shipping go
 * back with it; rounded half up to minor units, and all of it when all is refunded. Texts in major units with a point;
 * one that can't be read comes back as it is, so that its row is rejected and shows it.
 */
export function refundedPart(base: string, refunded: string, total: string, currency: string): string {
  if (!/[1-9]/.test(refunded)) return '';
  const amounts = [base, refunded, total].map((text) => minorUnits(text, currency, '.'));
  const [whole, part, all] = amounts;
  if (whole === undefined || part === undefined || all === undefined || all <= 0n) return refunded;
  return formatAmount((whole * part * 2n + all) / (all * 2n), currency);
}
