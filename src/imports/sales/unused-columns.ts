import type { CsvRecord } from '../files/records.ts';
import { ColumnValues } from './column-values.ts';
import { type Meaning, meaningOf } from './deciding.ts';
import { isNamed } from './proposal-columns.ts';
import { decimalOf } from './proposal-shapes.ts';

/** A column that may decide what its rows mean, and that the layout of the file does not use. */
export interface UnusedColumn {
  column: string;
  looks_like: Meaning;
  /** Of columns other than amounts: the values and how many rows have each, the most first; at most fifty. */
  values: { value: string; rows: number }[];
  /** The same in words, or the sum of a column of amounts. */
  summary: string;
}

/** How many rows tell what a column looks like. */
const rowsLookedAt = 100;

/** Watches the columns of a file that no field takes and that nobody has left out by name. */
export class UnusedColumns {
  readonly #free: { header: string; at: number }[];
  #watched: { header: string; at: number; meaning: Meaning; seen: ColumnValues }[] | undefined;

  /** `used` are the columns that fields take, `ignore` headers or positions that the source leaves out. */
  constructor(header: string[], used: Iterable<number>, ignore: string[] = []) {
    const taken = new Set(used);
    this.#free = header
      .map((name, at) => ({ header: name, at }))
      .filter((one) => !taken.has(one.at) && !ignore.some((name) => isNamed(one, name)));
  }

  /** Looks at the next rows of the file; the first of them show which columns are worth watching. */
  look(records: CsvRecord[]): void {
    if (this.#free.length === 0) return;
    this.#watched ??= this.#free.flatMap(({ header, at }) => {
      const values = records.slice(0, rowsLookedAt).map(({ cells }) => (cells[at] ?? '').trim());
      const meaning = meaningOf(header, values);
      if (meaning === undefined) return [];
      const seen = new ColumnValues(meaning === 'amount' ? (decimalOf(values) ?? '.') : undefined);
      return [{ header, at, meaning, seen }];
    });
    if (this.#watched.length === 0) return;
    for (const { cells } of records) for (const { at, seen } of this.#watched) seen.add(cells[at] ?? '');
  }

  /** The columns that have any values. */
  found(): UnusedColumn[] {
    const filled = this.#watched?.filter(({ seen }) => seen.filled > 0) ?? [];
    return filled.map(({ header, at, meaning, seen }) => ({
      column: header.trim() === '' ? `#${at + 1}` : header,
      looks_like: meaning,
      values: seen.values(),
      summary: seen.describe(),
    }));
  }
}

/** Sentences about columns that may say whether a row counts; whoever maps one amount has chosen it among the others. */
export function warnOfUnused(columns: UnusedColumn[]): string[] {
  return columns
    .filter(({ looks_like }) => looks_like !== 'amount')
    .map(
      ({ column, looks_like, summary }) =>
        `the column "${column}" is not used, and looks like a ${looks_like} that may decide what a row means: ${summary}; map it, or list it under "ignore" of the source`,
    );
}
