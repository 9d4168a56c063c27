import { isMarker } from '../values/currency-signs.ts';
import { shownNumber } from './cell-text.ts';

/**
 * What the number format of a cell adds to its number: a percentage, a currency that stands beside it, or text and zeros
 * that make an id of it, each part of which is a text or a place for one digit.
 */
export type Shown = 'percent' | { currency: string } | { parts: (string | undefined)[] };

/** What a format is made of: text in quotes, behind a backslash or in `[$…]`, space, colours and conditions, anything else. */
const tokens = /"([^"]*)"|\\(.)|\[\$([^\]-]*)(?:-[^\]]*)?\]|[_*].|\[[^\]]*\]|(.)/gsu;

/** What a format code, such as `#,##0.00 [$€-407]` or `"INV-"0000`, adds to positive numbers; undefined for nothing. */
export function shownBy(code: string): Shown | undefined {
  const parts: (string | undefined)[] = [];
  let marks = '';
  let text = '';
  for (const [, quoted, escaped, currency, other] of code.matchAll(tokens)) {
    if (other === ';') break;
    const said = quoted ?? escaped ?? currency ?? (/\p{Sc}/u.test(other ?? '') ? other : undefined);
    if (said === undefined) marks += other ?? '';
    text += said ?? '';
    parts.push(other === '0' ? undefined : (said ?? other ?? ''));
  }
  if (marks.includes('%')) return 'percent';
  const places = parts.filter((part) => part === undefined).length;
  const before = parts.slice(0, parts.indexOf(undefined)).join('');
  const isId = /^[0 ()/:+-]*$/.test(marks) && places > 0;
  if (isId && places > 1) return { parts };
  if (/^[#0?,. ()+-]+$/.test(marks) && isMarker(text.trim())) return { currency: text.trim() };
  return isId && /[\p{L}\p{N}]/u.test(before) ? { parts } : undefined;
}

/** The number that is stored as `digits` as Excel shows it; `digits` themselves where they are none. */
export function shownIn(digits: string, shown: Shown): string {
  const number = shownNumber(digits, shown === 'percent' ? 2 : 0);
  if (number === undefined) return digits;
  if (shown === 'percent') return `${number}%`;
  if ('currency' in shown) return `${number} ${shown.currency}`;
  return /^\d+$/.test(number) ? filled(number, shown.parts) : number;
}

/** The digits of a whole number in their places, from the last one on; those that are left stand at the first place. */
function filled(number: string, parts: (string | undefined)[]): string {
  const places = parts.filter((part) => part === undefined).length;
  const digits = number.padStart(places, '0');
  let at = digits.length - places + 1;
  let isFirst = true;
  return parts
    .map((part) => {
      if (part !== undefined) return part;
      if (!isFirst) return digits[at++]!;
      isFirst = false;
      return digits.slice(0, at);
    })
    .join('');
}
