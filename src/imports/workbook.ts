import { readSheet } from 'read-excel-file/universal';
import { showCount } from '../money.ts';
import { shownDate, shownIsoDate, shownNumber } from './cell-text.ts';
import { cellTooLong, overLimit } from './limits.ts';
import { cellKey, type ReadySheet } from './sheet-xml.ts';
import {
  chosenSheet,
  orDamaged,
  packed,
  readyParts,
  saveAsCsv,
  sheetNames,
  tooLarge,
  type Workbook,
} from './workbook-parts.ts';

/** A row of a sheet: its cells as text, and which of them are no text in the sheet but a number, date or truth value. */
export interface SheetRow {
  n: number;
  line: number;
  cells: string[];
  typed: boolean[];
}

const groupRows = 1_000;
/** Cells of a sheet, empty ones among them, that the library may make room for. */
const mostCells = 8_000_000;

/**
 * The rows of a sheet in groups, from the first on, `line` being the number that the sheet gives a row. Numbers are
 * written with a point and without grouping, dates in ISO form, truth values as true and false; `onBytes` is told how
 * much of the file they make up. Raises `file-refused` for a damaged workbook, for more than its limits allow, and
 * where it is not plain which sheet is meant.
 */
export async function* sheetRows(
  workbook: Workbook,
  onBytes?: (bytes: number) => void,
): AsyncGenerator<SheetRow[]> {
  const { values, marks } = await valuesOf(workbook);
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
        cells: row.map((value, index) => textOf(value, markOf(index))),
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

function textOf(value: Value, mark: 'percent' | 'date' | undefined): string {
  if (value === null) return '';
  if (value instanceof Date) return shownDate(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'object') return shownNumber(value.digits) ?? value.digits;
  if (mark === 'date') return shownIsoDate(value);
  const percent = mark === 'percent' ? shownNumber(value, 2) : undefined;
  return percent === undefined ? value : `${percent}%`;
}

async function valuesOf(workbook: Workbook): Promise<{ values: Value[][]; marks: ReadySheet['marks'] }> {
  const { parts, sheets } = await readyParts(workbook);
  const names = await sheetNames(workbook, parts, [...sheets.keys()]);
  const number = chosenSheet(workbook, names, sheets);
  const chosen = number === undefined ? undefined : sheets.get(names[number - 1]!.part);
  if (number === undefined || !chosen || chosen.rows === 0) return { values: [], marks: new Map() };
  checkSize(workbook, chosen);
  const archive = packed({ ...parts, [names[number - 1]!.part]: chosen.xml });
  const options = { trim: false, parseNumber: (digits: string) => ({ digits }) };
  const values = (await orDamaged(workbook, readSheet(archive, number, options))) as unknown as Value[][];
  return { values, marks: chosen.marks };
}

function checkSize(workbook: Workbook, { rows, columns }: ReadySheet): void {
  const { shown, limits } = workbook;
  if (rows > limits.workbook_rows)
    throw overLimit(
      shown,
      `The sheet has ${showCount(rows)} rows; ${showCount(limits.workbook_rows)} are read of a workbook.`,
      'workbook_rows',
      { instead: saveAsCsv },
    );
  if (rows * columns > mostCells) throw tooLarge(workbook);
}
