import { ApiFault } from './fault.ts';

/** The body of a request: its value, and its numbers exactly as they were written. */
export interface JsonBody {
  value: unknown;
  /** The text of the numbers that are members of the outermost object, by name: `99.00`, `1e400`. */
  numbers: ReadonlyMap<string, string>;
  /** The same of the objects that are members of it, by their names. */
  inner: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const deepest = 50;
/** The escape of a NUL, and of half a character: what no database text can hold. */
const noText = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i;

/**
 * Reads the bytes of a JSON body. Raises a fault for bytes that are no UTF-8, for what is no JSON object, and for a name
 * that stands twice in one object, of which nobody could say which counts.
 */
export function readJson(bytes: Buffer): JsonBody {
  const text = decoded(bytes);
  if (text.trim() === '') return { value: undefined, ...noNumbers };
  const members = new Map<object, Map<string, string>>();
  let value: unknown;
  try {
    value = JSON.parse(text, function (
      this: object,
      key: string,
      item: unknown,
      context?: { source?: string },
    ) {
      if (typeof item === 'number' && context?.source !== undefined) {
        const own = members.get(this) ?? new Map<string, string>();
        own.set(key, context.source);
        members.set(this, own);
      }
      return item;
    } as (key: string, item: unknown) => unknown);
  } catch {
    throw invalid('The body is no JSON.');
  }
  if (isDeeper(value, deepest)) throw invalid('The body is nested too deeply.');
  if (noText.test(text) && noText.test(JSON.stringify(value)))
    throw invalid('The body holds a NUL or half a character.');
  const double = doubledName(text);
  if (double !== undefined) throw invalid(`The body has the name ${JSON.stringify(double)} twice.`);
  if (typeof value !== 'object' || value === null) return { value, ...noNumbers };
  const inner = Object.entries(value).flatMap(([name, item]) => {
    const numbers = members.get(item);
    return numbers ? [[name, numbers] as const] : [];
  });
  return { value, numbers: members.get(value) ?? noNumbers.numbers, inner: new Map(inner) };
}

const noNumbers: Pick<JsonBody, 'numbers' | 'inner'> = { numbers: new Map(), inner: new Map() };

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decoded(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalid('The body is not UTF-8.');
  }
}

function invalid(message: string): ApiFault {
  return new ApiFault('invalid', message);
}

/** The first name that an object of a valid JSON text has twice, if any. */
function doubledName(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let last = '';
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found] = match;
    if (found === '{') open.push(new Set());
    else if (found === '[') open.push(undefined);
    else if (found === '}' || found === ']') open.pop();
    else if (found === ':') {
      const name = JSON.parse(last) as string;
      const names = open.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    } else if (found !== ',') last = found;
  }
  return undefined;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}
