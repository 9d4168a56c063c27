import { randomBytes } from 'node:crypto';
import { PayrunError } from './errors.ts';

/** The prefixes under which ids are shown; inside they are plain UUIDs, version 7. */
export const prefixes = {
  account: 'acct',
  program: 'prog',
  incentive: 'inc',
  affiliate: 'aff',
  referral: 'ref',
  contact: 'con',
  source: 'src',
  event: 'evt',
  conversion: 'cnv',
  commission: 'com',
  payout: 'po',
  batch: 'pob',
  import: 'imp',
  conflict: 'cfl',
  run: 'run',
  statement: 'stm',
  break: 'brk',
  key: 'key',
} as const;

export type Noun = keyof typeof prefixes;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
/** The two characters of each number of ten bits. */
const pairs = Array.from({ length: 1024 }, (_, bits) => alphabet[bits >> 5]! + alphabet[bits & 31]!);
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A new UUID, version 7 (RFC 9562): 48 bits of `now` in milliseconds, then 74 random bits. */
export function newId(now: Date): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now.getTime(), 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return dashed(bytes.toString('hex'));
}

/**
 * The first 22 of a UUID's 32 hex digits, for a batch of rows that Postgres numbers: appending the row's number
 * as 10 hex digits gives ids that sort in row order and need no call per row.
 */
export function newIdPrefix(now: Date): string {
  return newId(now).replaceAll('-', '').slice(0, 22);
}

/** The lowest id that `newId` and `newIdPrefix` can make at `now`. */
export function firstIdOf(now: Date): string {
  return dashed(`${now.getTime().toString(16).padStart(12, '0')}7`.padEnd(32, '0'));
}

/** The public form: prefix, underscore and 26 base32 characters (TypeID). `id` is a UUID in lower case. */
export function showId(noun: Noun, id: string): string {
  const hex = id.replaceAll('-', '');
  let text = `${prefixes[noun]}_${pairs[Number.parseInt(hex.slice(0, 2), 16)]}`;
  for (let at = 2; at < 32; at += 5) {
    const bits = Number.parseInt(hex.slice(at, at + 5), 16);
    text += pairs[bits >> 10]! + pairs[bits & 1023]!;
  }
  return text;
}

/** The noun and UUID that `text` stands for, or undefined. Accepts a plain UUID (noun undefined) and the public form. */
export function readId(text: string): { noun: Noun | undefined; id: string } | undefined {
  const lower = text.trim().toLowerCase();
  if (uuidPattern.test(lower)) return { noun: undefined, id: lower };
  const cut = lower.lastIndexOf('_');
  const noun = nounOf(lower.slice(0, cut));
  const digits = lower.slice(cut + 1);
  if (cut < 1 || noun === undefined || !/^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(digits)) return undefined;
  let value = 0n;
  for (const digit of digits) value = (value << 5n) | BigInt(alphabet.indexOf(digit));
  return { noun, id: dashed(value.toString(16).padStart(32, '0')) };
}

/** The UUID that a person typed for a `noun`, in either form. Raises `usage` when it is no id, or one of something else. */
export function parseId(noun: Noun, text: string): string {
  const read = readId(text);
  if (read && (read.noun === undefined || read.noun === noun)) return read.id;
  const article = /^[aeiou]/.test(noun) ? 'an' : 'a';
  throw new PayrunError('usage', `This is not the id of ${article} ${noun}.`, {
    found: text,
    todo: `Give an id that starts with "${prefixes[noun]}_", or the plain UUID.`,
  });
}

function nounOf(prefix: string): Noun | undefined {
  return (Object.keys(prefixes) as Noun[]).find((noun) => prefixes[noun] === prefix);
}

function dashed(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
