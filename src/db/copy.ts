import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RawBuilder } from 'kysely';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Session } from './connect.ts';
import { orderOf } from './text-order.ts';

const pieceLength = 1 << 16;

/**
 * Lines of COPY text on their way, kept as bytes outside of the heap: strings by the ten thousand would outlive the
 * young generation of the garbage collector, and memory would grow with them.
 */
export class CopyLines {
  #pieces: Buffer[] = [];
  #text = '';
  count = 0;

  add(line: string): void {
    this.#text += line;
    this.count += 1;
    if (this.#text.length >= pieceLength) this.#seal();
  }

  /** The bytes of all lines so far. */
  pieces(): Buffer[] {
    this.#seal();
    return this.#pieces;
  }

  #seal(): void {
    if (this.#text !== '') this.#pieces.push(Buffer.from(this.#text));
    this.#text = '';
  }
}

/** Lines of COPY text with keys, which come out in the order of their keys. */
export class SortedCopyLines {
  /** As large as the most that was in it at once: giving it back and growing anew would leave memory in pieces. */
  #bytes = Buffer.allocUnsafeSlow(pieceLength);
  #keys: string[] = [];
  /** Where each line ends. */
  #ends: number[] = [];
  #isSorted = true;

  get count(): number {
    return this.#keys.length;
  }

  /** In bytes, of all lines so far. */
  get length(): number {
    return this.#ends.at(-1) ?? 0;
  }

  add(key: string, line: string): void {
    const start = this.length;
    const longest = start + line.length * 3;
    if (longest > this.#bytes.length) this.#grow(longest);
    this.#isSorted &&= this.#keys.length === 0 || this.#keys.at(-1)! <= key;
    this.#ends.push(start + this.#bytes.write(line, start));
    this.#keys.push(key);
  }

  /** Puts `text`, which is ASCII, at the end of each line so far. */
  lengthen(text: string): void {
    const lines = this.#ends.map((place, index) =>
      this.#bytes.subarray(this.#ends[index - 1] ?? 0, place - 1),
    );
    const end = Buffer.from(`${text}\n`);
    const longer = Buffer.concat(lines.flatMap((line) => [line, end]));
    this.#ends = this.#ends.map((place, index) => place + text.length * (index + 1));
    if (longer.length > this.#bytes.length) this.#grow(longer.length);
    longer.copy(this.#bytes);
  }

  /** Takes all lines out, each behind `prefix` and its place as ten hexadecimal digits, counted from `first`. */
  take(prefix: string, first: number): Buffer {
    const order = this.#isSorted ? Uint32Array.from(this.#keys.keys()) : orderOf(this.#keys);
    const id = Buffer.from(prefix + '0'.repeat(hexLength));
    const sorted = Buffer.allocUnsafeSlow(this.length + order.length * id.length);
    let at = 0;
    for (let place = 0; place < order.length; place += 1) {
      const index = order[place]!;
      writeHex(id, first + place);
      // Byte by byte: calls that copy so few, or write a text, take longer.
      for (let digit = 0; digit < id.length; digit += 1) sorted[at++] = id[digit]!;
      at += this.#bytes.copy(sorted, at, index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]);
    }
    this.#keys = [];
    this.#ends = [];
    this.#isSorted = true;
    return sorted;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger);
    this.#bytes = larger;
  }
}

const hexLength = 10;

/** Writes a number into the last bytes, as hexadecimal digits. */
function writeHex(bytes: Buffer, number: number): void {
  let rest = number;
  for (let place = bytes.length - 1; place >= bytes.length - hexLength; place -= 1) {
    const digit = rest % 16;
    bytes[place] = digit + (digit < 10 ? 48 : 87);
    rest = (rest - digit) / 16;
  }
}

/** Runs a `copy … from stdin` statement over pieces of COPY text. */
export async function copyIn(
  session: Session,
  statement: RawBuilder<unknown>,
  pieces: Buffer[],
): Promise<void> {
  const target = session.client.query(copyFrom(statement.compile(session.sql).sql));
  await pipeline(Readable.from(pieces, { objectMode: false, highWaterMark: pieceLength }), target);
}

/** The bytes of a `copy … to stdout` statement, as a stream that waits for its reader. */
export function copyOut(session: Session, statement: string): Readable {
  return session.client.query(copyTo(statement));
}

const special = /[\\\t\n\r]/;
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** A value as it stands in a line of COPY text; undefined stays undefined, and is written as \\N. */
export function copyText(value: string | undefined): string | undefined {
  if (value === undefined || !special.test(value)) return value;
  return value.replace(/[\\\t\n\r]/g, (character) => escapes[character]!);
}
