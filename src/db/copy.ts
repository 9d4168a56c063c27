import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { RawBuilder } from 'kysely';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Session } from './connect.ts';

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

/** Runs a `copy … from stdin` statement over lines of COPY text. */
export async function copyIn(
  session: Session,
  statement: RawBuilder<unknown>,
  lines: CopyLines,
): Promise<void> {
  const target = session.client.query(copyFrom(statement.compile(session.sql).sql));
  await pipeline(Readable.from(lines.pieces(), { objectMode: false, highWaterMark: pieceLength }), target);
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
