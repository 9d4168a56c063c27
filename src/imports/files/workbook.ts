import { readSheet } from 'read-excel-file/universal';
import { shownDate, shownIsoDate, shownNumber } from './cell-text.ts';
import { textWithoutInvisible } from './invisible.ts';
import { cellTooLong } from './limits.ts';
import { shownIn } from './number-formats.ts';
import type { Seen } from './seen.ts';
import { cellKey, type Mark } from './sheet-xml.ts';
import { type OpenSheet, openSheet, orDamaged, type Workbook } from './workbook-parts.ts';

/** A row of a sheet: its cells as text, and which of them are no text in the sheet but a number, date or truth value. */
export interface SheetRow {
  n: number;
  line: number;
  cells: string[];
  typed: boolean[];
}

const groupRows = 1_000;

/**
 * The rows of a sheet in groups, from the first on, `line` being the number that the sheet gives a row. Numbers are
 * written with a point, without grouping and with leading zeros where those are shown, dates in ISO form, truth values as
 * true and false; `onBytes` is told how much of the file they make up, and `seen` of hidden sheets that were left out.
 * Raises `file-refused` for a damaged workbook, for more than its limits allow, and where it is not plain which sheet is
 * meant.
 */
export async function* sheetRows(
  workbook: Workbook,
  seen: Pick<Seen, 'hiddenSheets' | 'invisible'>,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<SheetRow[]> {
  const { values, marks, hidden } = await valuesOf(workbook);
  seen.hiddenSheets = hidden;
  for (let start = 0; start < values.length; start += groupRows) {
    const group = values.slice(start, start + groupRows).map((row, offset) => {
      const line = start + offset + 1;
      const long = row.findIndex(
        (value) => typeof value === 'string' && value.length > workbook.limits.field_length,
      );
      if (long !== -1) throw cellTooLong(workbook, line, long + 1);
      const markOf = (index: number) => marks.get(cellKey(line, index + 1));
      return {
        n: 0,
        line,
        cells: row.map((value, index) => textWithoutInvisible(textOf(value, markOf(index)), seen)),
        typed: row.map((value, index) => typeof (value ?? '') !== 'string' || markOf(index) !== undefined),
      };
    });
    values.fill([], start, start + groupRows);
    onBytes?.((workbook.bytes * group.length) / values.length);
    yield group;
  }
}

/** The rows of `groups` without the empty ones, which are counted from the header on. */
export async function* filledRows(
  groups: AsyncIterable<SheetRow[]>,
  seen: { blankLines: number },
): AsyncGenerator<SheetRow[]> {
  let isBelowHeader = false;
  for await (const group of groups) {
    const filled = group.filter(({ cells }) => {
      const isFilled = cells.some((cell) => cell !== '');
      if (!isFilled && isBelowHeader) seen.blankLines += 1;
      isBelowHeader ||= isFilled;
      return isFilled;
    });
    if (filled.length > 0) yield filled;
  }
}

/** A cell as the library gives it, a number still in the digits of the file. */
type Value = string | boolean | Date | { digits: string } | null;

function textOf(value: Value, mark: Mark | undefined): string {
  if (value === null) return '';
  if (value instanceof Date) return shownDate(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return shownNumber(value.digits) ?? value.digits;
  if (mark === 'date') return shownIsoDate(value);
  if (mark === undefined) return value;
  return shownIn(value, mark);
}

async function valuesOf(
  workbook: Workbook,
): Promise<Pick<OpenSheet, 'marks' | 'hidden'> & { values: Value[][] }> {
  const sheet = await openSheet(workbook);
  if (!sheet) return { values: [], marks: new Map(), hidden: [] };
  const options = { trim: false, parseNumber: (digits: string) => ({ digits }) };
  const values = await orDamaged(workbook, readSheet(sheet.archive, sheet.number, options));
  return { values: values as unknown as Value[][], marks: sheet.marks, hidden: sheet.hidden };
}
