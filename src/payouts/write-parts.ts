import { throwIfInterrupted } from '../db/connect.ts';
import type { Refusal } from '../ledger/unclaim.ts';
import type { Outbox, WaitingFile } from './files.ts';
import type { Format, Line } from './formats/format.ts';

/** A file under its temporary name; `amount` is the sum of its rows in minor units. */
export interface Part extends WaitingFile {
  rows: number;
  amount: bigint;
}

/**
 * Writes `pages` in this format, as many files as its limit of rows asks for; lines that it refuses are in none of
 * them. No line, no file. Raises `interrupted`.
 */
export async function writeParts<L extends Line>(
  outbox: Outbox,
  format: Format<L>,
  pages: AsyncIterable<L[]>,
  signal: AbortSignal,
): Promise<{ parts: Part[]; refused: Refusal[] }> {
  const refusals = new Map<string, Refusal>();
  const portions = new Portions(accepted(format, pages, refusals, signal));
  const parts: Part[] = [];
  try {
    while (await portions.hasMore()) {
      const tally = { rows: 0, amount: 0n };
      const file = await outbox.write(format.write(counted(portions.take(format.maxRows), tally)));
      parts.push({ ...file, ...tally });
    }
  } finally {
    await portions.close();
  }
  return { parts, refused: [...refusals.values()] };
}

async function* accepted<L extends Line>(
  format: Format<L>,
  pages: AsyncIterable<L[]>,
  refusals: Map<string, Refusal>,
  signal: AbortSignal,
): AsyncGenerator<L[]> {
  for await (const page of pages) {
    throwIfInterrupted(signal);
    yield format.refuse ? page.filter((line) => !isRefused(format, line, refusals)) : page;
  }
}

function isRefused<L extends Line>(format: Format<L>, line: L, refusals: Map<string, Refusal>): boolean {
  const reason = format.refuse?.(line);
  if (reason === undefined) return false;
  const refusal = refusals.get(reason) ?? { reason, references: [], amount: 0n };
  refusal.references.push(line.reference);
  refusal.amount += line.amount;
  refusals.set(reason, refusal);
  return true;
}

async function* counted<L extends Line>(
  pages: AsyncIterable<L[]>,
  tally: { rows: number; amount: bigint },
): AsyncGenerator<L[]> {
  for await (const page of pages) {
    tally.rows += page.length;
    for (const line of page) tally.amount += line.amount;
    yield page;
  }
}

/** Lines that come in pages, handed out again in portions. */
class Portions<L> {
  readonly #pages: AsyncGenerator<L[]>;
  #page: L[] = [];

  constructor(pages: AsyncGenerator<L[]>) {
    this.#pages = pages;
  }

  async hasMore(): Promise<boolean> {
    while (this.#page.length === 0) {
      const next = await this.#pages.next();
      if (next.done) return false;
      this.#page = next.value;
    }
    return true;
  }

  /** The next lines, at most `limit`, a page at a time. */
  async *take(limit: number): AsyncGenerator<L[]> {
    let left = limit;
    while (left > 0 && (await this.hasMore())) {
      const taken = this.#page.slice(0, left);
      this.#page = this.#page.slice(taken.length);
      left -= taken.length;
      yield taken;
    }
  }

  /** Ends the reading, where not everything was taken. */
  async close(): Promise<void> {
    await this.#pages.return(undefined);
  }
}
