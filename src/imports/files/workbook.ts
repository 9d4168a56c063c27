import { readSheet } from 'read-excel-file/universal';
import { formulaWithoutResult } from '../values/cells.ts';
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
 * true and false; `onBytes` is told how much of the file they make up, and `seen` of hidden sheets that were left out, of hidden rows and of formulas
 * without a result.
 * Raises `file-refused` for a damaged workbook, for more than its limits allow, and where it is not plain which sheet is
 * meant.
 */
export async function* sheetRows(
  workbook: Workbook,
  seen: Seen,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<SheetRow[]> {
  const read = await valuesOf(workbook);
  if (!read) return;
  const { values, about, hidden } = read;
  const { marks, formulas } = about;
  Object.assign(seen, { hiddenSheets: hidden, hiddenRows: about.hiddenRows, isFiltered: about.isFiltered });
  for (let start = 0; start < values.length; start += groupRows) {
    const group = values.slice(start, start + groupRows).map((row, offset) => {
      const line = start + offset + 1;
      const long = row.findIndex(
        (value) => typeof value === 'string' && value.length > workbook.limits.field_length,
      );
      if (long !== -1) throw cellTooLong(workbook, line, long + 1);
      const markOf = (index: number) => marks.get(cellKey(line, index + 1));
      const hasFormula = (index: number) => formulas.size > 0 && formulas.has(cellKey(line, index + 1));
      if (formulas.size > 0 && row.some((_, index) => hasFormula(index))) seen.formulas.add(line);
      return {
        n: 0,
        line,
        cells: row.map((value, index) =>
          hasFormula(index) ? formulaWithoutResult : textWithoutInvisible(textOf(value, markOf(index)), seen),
        ),
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

/** Undefined where no sheet has data. */
async function valuesOf(
  workbook: Workbook,
): Promise<(Pick<OpenSheet, 'about' | 'hidden'> & { values: Value[][] }) | undefined> {
  const sheet = await openSheet(workbook);
  if (!sheet) return undefined;
  const options = { trim: false, parseNumber: (digits: string) => ({ digits }) };
  const values = await orDamaged(workbook, readSheet(sheet.archive, sheet.number, options));
  return { values: values as unknown as Value[][], about: sheet.about, hidden: sheet.hidden };
}
