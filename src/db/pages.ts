/** Which part of a list to read: the rows behind the one whose key is `after`, at most `limit` of them. */
export interface PageChoice {
  after?: string | undefined;
  limit: number;
}

/** A part of a list. */
export interface Page<Row> {
  rows: Row[];
  /** The key behind which the next page begins; null when nothing follows. */
  next: string | null;
}

/**
 * Reads one page of a list that is ordered by a unique key, so that what is written meanwhile moves no row from one page
 * to another, and page one thousand costs what the first one does. `read` returns the rows behind the key, at most as many
 * as it is asked for, in order; it is asked for one too many, which tells whether more follow.
 */
export async function readPage<Row>(
  { limit }: PageChoice,
  keyOf: (row: Row) => string,
  read: (atMost: number) => Promise<Row[]>,
): Promise<Page<Row>> {
  const found = await read(limit + 1);
  const rows = found.slice(0, limit);
  return { rows, next: found.length > limit ? keyOf(rows.at(-1)!) : null };
}

/** Every page of a list, beginning behind `after`; `read` reads the one behind a key. */
export async function* allPages<Row>(
  read: (after: string | undefined) => Promise<Page<Row>>,
  after?: string,
): AsyncGenerator<Page<Row>> {
  for (let key = after; ; ) {
    const page = await read(key);
    yield page;
    if (page.next === null) return;
    key = page.next;
  }
}
