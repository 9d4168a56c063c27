import { visit } from 'jsonc-parser';

/**
 * The key that an object on a line of JSON gives twice, of which `body`, what was read from the line, has only the last
 * value; undefined where there is none. Nearly every line is told by counting: behind each key stands a colon, so that a
 * line with no more colons than its keys, and what is in its texts, gives none twice.
 */
export function keyGivenTwice(text: string, body: unknown): string | undefined {
  const isCountable = !text.includes(escapedColon);
  return isCountable && colonsIn(text) === colonsOf(body) ? undefined : firstDouble(text);
}

/** How a colon that is escaped begins, which is one only in what was read. */
const escapedColon = '\\u003';

function colonsIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) count += 1;
  return count;
}

/** How many colons a value has in JSON where no key of it is given twice. */
function colonsOf(value: unknown): number {
  if (typeof value === 'string') return colonsIn(value);
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) for (const inner of value) count += colonsOf(inner);
  else for (const key in value) count += 1 + colonsOf((value as Record<string, unknown>)[key]);
  return count;
}

function firstDouble(text: string): string | undefined {
  const open: Set<string>[] = [];
  let double: string | undefined;
  visit(text, {
    onObjectBegin: () => {
      open.push(new Set());
    },
    onObjectProperty: (key) => {
      const keys = open.at(-1)!;
      if (keys.has(key)) double ??= key;
      keys.add(key);
    },
    onObjectEnd: () => {
      open.pop();
    },
  });
  return double;
}
