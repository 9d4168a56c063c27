import { keyGivenTwice } from './double-keys.ts';

/** In JSON, the escapes of what no database text can hold: NUL, and halves of surrogate pairs. */
const noText = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;
const deepest = 100;

/** The object on a line, or what is wrong with it in a few words that give nothing of it away. */
export function parseObject(text: string): Record<string, unknown> | string {
  try {
    const body = JSON.parse(text) as unknown;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'it is something else';
    const double = keyGivenTwice(text, body as Record<string, unknown>);
    if (double !== undefined) return `it gives "${double}" twice`;
    if (mayBeDeeper(text, deepest) && isDeeper(body, deepest)) return 'it is nested too deeply';
    const isText = !text.includes('\\u') || !noText.test(JSON.stringify(body));
    return isText ? (body as Record<string, unknown>) : 'it holds a NUL or half a character';
  } catch {
    return 'it can’t be parsed';
  }
}

/** Whether `text` opens more than `levels` objects and lists: nearly none does, and counting is cheaper than walking. */
function mayBeDeeper(text: string, levels: number): boolean {
  let opened = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      opened += 1;
      if (opened > levels) return true;
    }
  }
  return false;
}

/** Whether `value` has objects or lists in one another to more than `levels`: a database takes thousands, not millions. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

/** Whether a number is an integer beyond 2^53, of which JSON does not carry the last digits. */
export function isUnsafe(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** Whether one stands in `value`, an object or list that is not nested deeply. */
export function hasUnsafe(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return isUnsafe(value);
  return Object.values(value).some(hasUnsafe);
}
