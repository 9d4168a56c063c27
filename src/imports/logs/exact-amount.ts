import { minorUnitsOf, parseAmount } from '../../money.ts';
import { isUnsafe } from './json-object.ts';

/** A line whose amount has more digits than a number of JSON carries to the last one. */
export const manyDigits = /"sale_amount"\s*:\s*-?[\d.]{16}/;

/** An event that was parsed before: its body, and its amount as it was written, where that is a number. */
export interface ParsedEvent {
  body: Record<string, unknown>;
  amount: string | undefined;
}

/**
 * Minor units of the amount of a line, which JSON read as `amount`; else the fault's code. Up to 15 digits a number comes
 * back out as it was written; longer ones are beyond what a sale may be. Of what was parsed before, the text is known.
 */
export function amountOn(line: string | ParsedEvent, amount: number, currency: string): bigint | string {
  if (typeof line !== 'string') return exactAmount(line.amount ?? '', currency);
  if (isUnsafe(amount)) return 'integer-unsafe';
  return manyDigits.test(line) ? 'amount-format' : parseAmount(String(amount), currency);
}

const jsonNumber = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Minor units of a number of JSON as it was written, exactly; else the fault's code. */
export function exactAmount(written: string, currency: string): bigint | string {
  const match = written.length <= 100 ? jsonNumber.exec(written) : null;
  if (!match) return 'amount-format';
  const [, sign, whole = '', decimals = '', exponent = '0'] = match;
  const units = BigInt(`${sign}${whole}${decimals}`);
  const scale = decimals.length - Number(exponent);
  return scale < 0
    ? minorUnitsOf(units * 10n ** BigInt(-scale), 0, currency)
    : minorUnitsOf(units, scale, currency);
}
