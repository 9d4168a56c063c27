import { readId } from '../../ids.ts';
import { given } from '../../spreadsheet.ts';
import { rejectColumns } from '../columns.ts';
import type { CsvFile } from '../files/records.ts';

/** A file as it was before it became a rejects file, if it is one that came back. */
export interface Returned {
  csv: CsvFile;
  /** The UUID of the import that its rows say they were rejected by, once they have been read; rows may lie. */
  rejectsOf(): string | undefined;
}

const needed = rejectColumns.filter((name) => name !== 'suggestion');

/**
 * Takes from a rejects file what was added to it: the columns, wherever a person has moved them, and the apostrophes
 * before formulas. Rows that have more or fewer cells than they should keep that fault, also when a spreadsheet has
 * filled them up. Any other file is left as it is.
 */
export function returned(csv: CsvFile): Returned {
  const names = csv.header.map((name) => name.toLowerCase());
  const added = rejectColumns.map((name) => names.lastIndexOf(name)).filter((index) => index !== -1);
  if (!needed.every((name) => names.includes(name))) return { csv, rejectsOf: () => undefined };
  const last = Math.max(...added);
  const kept = names.flatMap((name, index) =>
    added.includes(index) || (name === '' && index > last) ? [] : [index],
  );
  const layout = {
    width: names.length,
    kept,
    marker: names.lastIndexOf('import'),
    isAtEnd: kept.every((index, place) => index === place),
  };
  let rejectsOf: string | undefined;
  async function* groups() {
    for await (const group of csv.groups) {
      for (const record of group) {
        rejectsOf ??= importIn(record.cells[layout.marker]);
        record.cells = withoutAdded(record.cells, layout).map(given);
      }
      yield group;
    }
  }
  const header = kept.map((index) => given(csv.header[index]!));
  return { csv: { ...csv, header, groups: groups() }, rejectsOf: () => rejectsOf };
}

function withoutAdded(
  cells: string[],
  { width, kept, marker, isAtEnd }: { width: number; kept: number[]; marker: number; isAtEnd: boolean },
): string[] {
  const mark = cells[marker];
  if (cells.length === width && (mark?.trim() === '' || importIn(mark)))
    return kept.map((index) => cells[index]!);
  if (!isAtEnd) return cells;
  // The row's own cells end before its mark, or before nothing but empty cells where a person has added the row.
  const at = cells.findLastIndex((cell) => importIn(cell) !== undefined);
  if (at !== -1) return cells.slice(0, at);
  return cells.slice(kept.length).every((cell) => cell === '') ? cells.slice(0, kept.length) : cells;
}

function importIn(cell: string | undefined): string | undefined {
  if (cell === undefined || !/^\s*imp_/i.test(cell)) return undefined;
  return readId(cell)?.id;
}
