import { exponentOf, groupThousands } from '../../money.ts';

/** The mark before the decimals. */
export type DecimalMark = '.' | ',';

/** A number exactly as it is written: `units` / 10^`scale`. */
export interface ExactNumber {
  units: bigint;
  scale: number;
}

const neutral = "[ \\u00a0\\u2009\\u202f'’]";
const byNeutral = `[1-9]\\d{0,2}(${neutral})\\d{3}(?:\\2\\d{3})*`;
/** Groups of three, and the Indian ones: three, then pairs. */
const byComma = '[1-9]\\d{0,2}(?:,\\d{3})+|[1-9]\\d?(?:,\\d{2})+,\\d{3}';
const byPoint = '[1-9]\\d{0,2}(?:\\.\\d{3})+';

/** What a number looks like where each mark stands before the decimals; grouping marks stand where groups end. */
const shapes: Record<DecimalMark, RegExp> = {
  '.': new RegExp(`^(\\d+|${byComma}|${byNeutral})(?:\\.(\\d+))?$`),
  ',': new RegExp(`^(\\d+|${byPoint}|${byNeutral})(?:,(\\d+))?$`),
};

/** The number that `text` (digits, a decimal mark, grouping marks) is where `decimal` is the mark, if it is one. */
export function readNumber(text: string, decimal: DecimalMark): ExactNumber | undefined {
  const match = shapes[decimal].exec(text);
  if (!match) return undefined;
  const decimals = match[3] ?? '';
  return { units: BigInt(match[1]!.replace(/\D/g, '') + decimals), scale: decimals.length };
}

/**
 * The one mark that can stand before the decimals of `text`. Undefined when both give the same number, which proves
 * nothing; `ambiguous` when both give one, but not the same; `none` when neither does.
 */
export function provenMark(text: string): DecimalMark | 'ambiguous' | 'none' | undefined {
  const [point, comma] = [readNumber(text, '.'), readNumber(text, ',')];
  if (!point || !comma) return point ? '.' : comma ? ',' : 'none';
  return point.units === comma.units && point.scale === comma.scale ? undefined : 'ambiguous';
}

/** The exact number as plain digits with a decimal point. `1184.56` */
export function showExact({ units, scale }: ExactNumber): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const text = scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`;
  return units < 0n ? `-${text}` : text;
}

/**
 * The exact number as people read a sum of `currency`: thousands separated, at least the currency's decimals, more only
 * where they are none of zeros. `1,184.50`
 */
export function showSum({ units, scale }: ExactNumber, currency: string): string {
  const least = exponentOf(currency);
  const padded = scaled({ units, scale }, Math.max(scale, least));
  const text = showExact({ units: padded, scale: Math.max(scale, least) });
  const [whole, decimals = ''] = text.split('.');
  const needed = decimals.slice(least).replace(/0+$/, '').length + least;
  return needed === 0 ? groupThousands(whole!) : `${groupThousands(whole!)}.${decimals.slice(0, needed)}`;
}

/** `one` less `other`. */
export function difference(one: ExactNumber, other: ExactNumber): ExactNumber {
  const scale = Math.max(one.scale, other.scale);
  return { units: scaled(one, scale) - scaled(other, scale), scale };
}

/** The units of a number where it has `wider` decimals, which are as many as it has or more. */
export function scaled({ units, scale }: ExactNumber, wider: number): bigint {
  return units * 10n ** BigInt(wider - scale);
}

/** An amount taken apart: the text of its number, whether it is negative, and what else stands there. */
export interface AmountParts {
  number: string;
  isNegative: boolean;
  /** The text of a currency, or empty. */
  marker: string;
  /** `()`, `CR` or `DR`, or empty: what means something only if the source says so. */
  form: string;
}

const longest = 60;
const pieces = /^([+-]?)\s*([^\d+\-,()']*?)\s*([+-]?)\s*(\d(?:[\d.,'’\s]*\d)?)\s*(-?)\s*([^\d+\-,()']*)$/u;

/** Takes an amount such as `- $5.00`, `1.234,56 €`, `5.00-` or `(12.00)` apart, if it is one. */
export function amountParts(text: string): AmountParts | undefined {
  if (text.length > longest) return undefined;
  const inside = /^\((.*)\)$/.exec(text)?.[1];
  const found = pieces.exec((inside ?? text).trim().replaceAll('\u2212', '-'));
  if (!found) return undefined;
  const [, first, before, second, number, last, after] = found;
  const creditOrDebit = /^(?:CR|DR)\.?$/i.test(after!) ? after!.slice(0, 2).toUpperCase() : '';
  const signs = [first, second, last, inside === undefined ? '' : '()', creditOrDebit].filter(Boolean);
  const markers = [before, creditOrDebit ? '' : after].filter(Boolean);
  if (signs.length > 1 || markers.length > 1) return undefined;
  return {
    number: number!,
    isNegative: signs[0] === '-',
    marker: markers[0]?.trim() ?? '',
    form: inside === undefined ? creditOrDebit : '()',
  };
}
