import { PayrunError } from '../../errors.ts';
import { rejectColumns } from '../columns.ts';
import { recordsOf } from './csv-records.ts';
import { delimiterOf, firstLines } from './delimiter.ts';
import { type Limited, tooManyRows } from './limits.ts';
import { nothingIn } from './nothing.ts';
import type { InputFile } from './open.ts';
import type { CsvRecord, CsvStyle } from './record-reading.ts';
import { nothingSeen, type Seen } from './seen.ts';
import { type Beside, withoutTail } from './tail.ts';
import { filledRows, sheetRows } from './workbook.ts';

export type { CsvRecord } from './record-reading.ts';

/** How a table is read; all that is left out is found in the file. */
export interface TableReading extends Partial<CsvStyle> {
  /** The physical line of the header. */
  headerLine?: number | undefined;
  /** Whether a last record that was cut off is a row like any other, too short as it is, and no reason to refuse the file. */
  isPartial?: boolean | undefined;
  /**
   * The columns of the fields where a record with these cells is the header, if it can be; without it the first record is
   * the header, and nothing stands below the last row.
   */
  layout?: ((names: string[]) => ReadonlyMap<string, number> | undefined) | undefined;
  /** Told how many bytes of the file were read. */
  onBytes?: ((bytes: number) => void) | undefined;
}

export interface CsvFile {
  header: string[];
  headerLine: number;
  /** That of its rejects file too, where it is the sheet of a workbook, which has none of its own. */
  delimiter: string;
  /** Whether it is the sheet of a workbook. */
  isTyped: boolean;
  /** The rows in groups: records below the header, without blank lines, totals and footers. */
  groups: AsyncIterable<CsvRecord[]>;
  /** What else stands in the file; whole once the groups have ended. */
  beside: Beside;
  /** How many lines were left out so far. */
  ignored(): number;
}

/** In records. */
const headerWithin = 50;
const hasHeader = 'Export it again; a file to import has a header line and at least one row.';

/**
 * Reads a CSV with a header from `file`. The delimiter is the given one, else that of a `sep=` line, else the one of
 * `, ; tab |` that shows a header, or that the first lines agree on. Raises `file-refused` as `recordsOf` and `tableOf` do.
 */
export async function readCsv(file: InputFile, how: TableReading = {}): Promise<CsvFile> {
  refuseJson(file);
  const { layout, onBytes } = how;
  const isHeader = layout && ((names: string[]) => layout(names) !== undefined);
  const { workbook } = file;
  const delimiter = how.delimiter ?? (workbook ? ',' : delimiterOf(await firstLines(file), isHeader));
  const seen = nothingSeen();
  if (workbook) seen.endsInLine = true;
  const records = workbook
    ? filledRows(sheetRows(workbook, seen, onBytes), seen)
    : recordsOf(file.read(onBytes), file, { ...how, delimiter }, seen);
  return { ...(await tableOf(records, file, how, seen)), delimiter, isTyped: workbook !== undefined };
}

/** Raises `file-refused` for JSON where a table is expected. */
function refuseJson({ isJson, shown }: InputFile): void {
  if (!isJson) return;
  throw new PayrunError('file-refused', 'This is JSON, not a table.', {
    place: { file: shown, line: 1 },
    todo: 'Import a log of events, one JSON object a line, with "payrun import events"; anything else as CSV.',
  });
}

/**
 * Finds the header among records, wherever they come from, and numbers the rows below it. Raises `file-refused` for a
 * file without records, without the header that `how` names, with a cell under an empty header and, unless `how`
 * allows it, with a last record that was cut off.
 */
export async function tableOf(
  records: AsyncGenerator<CsvRecord[]>,
  file: InputFile,
  how: TableReading,
  seen: Seen,
): Promise<Omit<CsvFile, 'delimiter' | 'isTyped'>> {
  const { shown } = file;
  const early: CsvRecord[] = [];
  while (early.length < headerWithin || early.at(-1)!.line < (how.headerLine ?? 0)) {
    const next = await records.next();
    if (next.done) break;
    early.push(...next.value);
  }
  if (early.length === 0) throw await nothingIn(file, hasHeader, seen.hasSeparatorLine);
  const at = headerAt(early, how, shown);
  const header = early[at]!;
  const names = namesIn(header);
  const beside: Beside = { above: at, footers: 0, totals: [], seen };
  async function* below(): AsyncGenerator<CsvRecord[]> {
    const rest = early.slice(at + 1);
    if (rest.length > 0) yield rest;
    yield* records;
  }
  const isLonger = !isRejects(names) && endInOneMore(early.slice(at + 1), names.length);
  const idColumn = how.layout?.(names)?.get('external_id');
  const rows = withoutTail(isLonger ? withoutLastDelimiter(below(), names.length) : below(), {
    shown,
    width: names.length,
    idColumn,
    beside,
    isPartial: how.isPartial,
    endsInCharacter: file.endsInCharacter,
  });
  return {
    header: names,
    headerLine: header.line,
    groups: numbered(rows, names, file),
    beside,
    ignored: () => seen.blankLines + beside.above + beside.footers + beside.totals.length,
  };
}

/** Whether all of the first rows that are not too short have one more cell than the header, which is empty. */
function endInOneMore(first: CsvRecord[], width: number): boolean {
  const whole = first.filter(({ cells }) => cells.length >= width);
  return whole.length > 0 && whole.every(({ cells }) => cells.length === width + 1 && cells[width] === '');
}

/** The rows of a table in which a delimiter ends each row and not only parts its cells, as though it did not. */
async function* withoutLastDelimiter(
  groups: AsyncIterable<CsvRecord[]>,
  width: number,
): AsyncGenerator<CsvRecord[]> {
  for await (const group of groups) {
    for (const { cells } of group) if (cells.length <= width + 1 && cells.at(-1) === '') cells.pop();
    yield group;
  }
}

/**
 * Which of the first records is the header: the one that stands in the line that a setting names, else the first that
 * can be one, else the first of those with most cells filled, so that a message about it shows what the file has. What
 * is imported back from a rejects file has its header on top, whatever lines stood above it at first.
 */
function headerAt(early: CsvRecord[], { headerLine, layout }: TableReading, shown: string): number {
  const at = indexOfHeader(early, headerLine, layout);
  if (at === -1)
    throw new PayrunError(
      'file-refused',
      `No record starts in line ${headerLine}, where the header is to be.`,
      {
        place: { file: shown },
        todo: 'Correct header_row in the source of payrun.json.',
      },
    );
  if (early[at]!.stray === undefined) return at;
  throw new PayrunError('file-refused', 'A quote stands in the header where it should not.', {
    place: { file: shown, line: early[at]!.line },
    todo: 'Write quotes inside a cell twice and the whole cell in quotes, or set quotes to relaxed in the source.',
  });
}

function indexOfHeader(
  early: CsvRecord[],
  headerLine: number | undefined,
  layout: TableReading['layout'],
): number {
  if (isRejects(namesIn(early[0]!))) return 0;
  if (headerLine !== undefined) return early.findIndex(({ line }) => line === headerLine);
  if (!layout) return 0;
  const first = early.slice(0, headerWithin);
  const found = first.findIndex((record) => layout(namesIn(record)));
  if (found !== -1) return found;
  const filled = first.map((record) => namesIn(record).filter(Boolean).length);
  return filled.indexOf(Math.max(...filled));
}

function isRejects(names: string[]): boolean {
  return names.slice(-rejectColumns.length).join() === rejectColumns.join();
}

function namesIn({ cells }: CsvRecord): string[] {
  return cells.map((cell) => cell.trim());
}

/** Numbers the rows, and refuses what gives a misread header away. */
async function* numbered(
  groups: AsyncIterable<CsvRecord[]>,
  header: string[],
  file: Limited,
): AsyncGenerator<CsvRecord[]> {
  const nameless = header.flatMap((name, index) => (name === '' ? [index] : []));
  let n = 0;
  for await (const group of groups) {
    for (const record of group) {
      record.n = ++n;
      if (nameless.length === 0 || record.cells.length !== header.length) continue;
      const stray = nameless.find((index) => record.cells[index]!.trim());
      if (stray !== undefined)
        throw new PayrunError('file-refused', `Column ${stray + 1} has data, but no name in the header.`, {
          place: { file: file.shown, line: record.line },
          todo: 'Name the column in the header, or empty it.',
        });
    }
    if (n > file.limits.rows) throw tooManyRows(file);
    yield group;
  }
}
