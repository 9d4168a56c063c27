import type { CsvFile } from '../files/records.ts';
import { textOf } from '../values/cells.ts';
import type { Evidence, ProvenColumn } from '../values/styles.ts';

/** A column whose style may be open, and where it is in the file. */
export interface PlacedColumn {
  field: string;
  at: number;
  column: ProvenColumn;
}

/**
 * Reads through a file for values that prove the styles of those columns that are open, until all are proven or the file
 * ends; then takes them from `earlier`, what proved them in the file whose rejects this one has. After it, no style is
 * open any more, so that the order of the rows decides nothing.
 */
export async function proveStyles(
  csv: CsvFile,
  columns: PlacedColumn[],
  earlier: () => Promise<Evidence[]>,
): Promise<void> {
  let open = columns.filter(({ column }) => column.isOpen);
  for await (const group of csv.groups) {
    for (const { cells, line, stray, typed } of group) {
      if (cells.length !== csv.header.length || stray !== undefined || cells.some(hasNul)) continue;
      for (const { at, column } of open) if (!typed?.[at]) column.prove(textOf(cells[at]!), line);
    }
    open = open.filter(({ column }) => column.isOpen);
    if (open.length === 0) break;
  }
  for (const { field, value, line, file } of open.length === 0 ? [] : await earlier()) {
    const column = open.find((one) => one.field === field)?.column;
    column?.prove(value, line);
    if (column?.evidence && file !== undefined) column.evidence.file = file;
  }
  for (const { column } of open) column.close();
}

function hasNul(cell: string): boolean {
  return cell.includes('\0');
}
