import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type CsvError, type Options, parse } from 'csv-parse';
import { PayrunError } from '../errors.ts';
import { cellTooLong, recordTooLong, tooManyRows } from './limits.ts';
import { type InputFile, refuseJson } from './open.ts';
import { filledRows, sheetRows } from './workbook.ts';

/** One record of a CSV file: its number from 1 after the header, the physical line it starts on, its cells. */
export interface CsvRecord {
  n: number;
  line: number;
  cells: string[];
  /** Of a workbook: which cells are no text there, and so have a point for a decimal mark and dates in ISO form. */
  typed?: boolean[];
}

export interface CsvFile {
  header: string[];
  headerLine: number;
  delimiter: string;
  /** Whether the file begins with a `sep=` line. */
  hasSeparatorLine: boolean;
  /** Whether it is the sheet of a workbook. */
  isTyped: boolean;
  /** The records in groups, as the parser has them ready; blank lines are left out. */
  groups: AsyncIterable<CsvRecord[]>;
  /** How many blank lines were left out so far. */
  blankLines(): number;
}

/**
 * Reads CSV with a header from `file`. The delimiter is the given one, else that of a `sep=` line, else the one of
 * `, ; tab |` that the first lines agree on. Raises `file-refused` for an empty file, an unclosed or misplaced quote, more than its limits allow, a
 * cell under an empty header and a last record that was cut off, with the physical line where the record starts.
 */
export async function readCsv(
  file: InputFile,
  delimiter: string | undefined,
  onBytes?: (bytes: number) => void,
): Promise<CsvFile> {
  const { shown } = file;
  refuseJson(file);
  const isTyped = file.workbook !== undefined;
  const used = isTyped ? ',' : (delimiter ?? delimiterOf(await firstLines(file)));
  const seen: Seen = { blankLines: 0, endsInLine: isTyped, hasSeparatorLine: false };
  const records = file.workbook
    ? filledRows(sheetRows(file.workbook, onBytes), seen)
    : recordsOf(file.read(onBytes), file, used, seen);
  const start = await records.next();
  const header = start.done ? undefined : start.value.shift();
  if (start.done || !header) {
    throw new PayrunError('file-refused', 'The file is empty.', {
      place: { file: shown },
      todo: 'Export it again; a file to import has a header line and at least one row.',
    });
  }
  const early = start.value;
  async function* groups(): AsyncGenerator<CsvRecord[]> {
    if (early.length > 0) yield early;
    yield* records;
  }
  const names = header.cells.map((cell) => cell.trim());
  return {
    header: names,
    headerLine: header.line,
    delimiter: used,
    hasSeparatorLine: seen.hasSeparatorLine,
    isTyped,
    groups: checked(groups(), names, file, seen),
    blankLines: () => seen.blankLines,
  };
}

/** What else the reading of a file has met so far: blank lines below the header, whether the last line ended, a `sep=` line. */
interface Seen {
  blankLines: number;
  endsInLine: boolean;
  hasSeparatorLine: boolean;
}

/** Numbers the records, and refuses what a header that was misread or a file that was cut off gives away. */
async function* checked(
  groups: AsyncIterable<CsvRecord[]>,
  header: string[],
  { shown, limits }: InputFile,
  seen: Seen,
): AsyncGenerator<CsvRecord[]> {
  const nameless = header.flatMap((name, index) => (name === '' ? [index] : []));
  let n = 0;
  let last: CsvRecord | undefined;
  for await (const group of groups) {
    for (const record of group) {
      record.n = ++n;
      const stray = nameless.find((index) => record.cells[index]?.trim());
      if (stray !== undefined && record.cells.length === header.length)
        throw new PayrunError('file-refused', `Column ${stray + 1} has data, but no name in the header.`, {
          place: { file: shown, line: record.line },
          todo: 'Name the column in the header, or empty it.',
        });
    }
    if (n > limits.rows) throw tooManyRows({ shown, limits });
    last = group.at(-1);
    yield group;
  }
  if (last && last.cells.length < header.length && !seen.endsInLine)
    throw new PayrunError(
      'file-refused',
      'The last row was cut off: cells and the end of its line are missing.',
      {
        place: { file: shown, line: last.line },
        todo: 'Export the file again; nothing of it was recorded.',
      },
    );
}

async function* recordsOf(
  input: Readable,
  file: InputFile,
  delimiter: string,
  seen: Seen,
): AsyncGenerator<CsvRecord[]> {
  let line = 1;
  let isBelowHeader = false;
  let group: CsvRecord[] = [];
  const options: Options = {
    // Takes the records out of the parser's hands: handing them on one by one costs as much as parsing them.
    on_record(cells: string[]): null {
      const isBlank = cells.length === 1 && cells[0] === '';
      const isSeparator = !isBelowHeader && separatorLine.test(cells.join(delimiter));
      if (isBlank && isBelowHeader) seen.blankLines += 1;
      if (isSeparator) seen.hasSeparatorLine = true;
      if (!isBlank && !isSeparator) group.push({ n: 0, line, cells });
      isBelowHeader ||= !isBlank && !isSeparator;
      line += 1 + lineBreaksIn(cells, file, line);
      return null;
    },
    bom: true,
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    max_record_size: file.limits.record_bytes,
  };
  const parser = parse(options);
  parser.on('error', () => {}).resume();
  const taken = () => {
    const ready = group;
    group = [];
    return ready;
  };
  try {
    for await (const bytes of input as AsyncIterable<Buffer>) {
      seen.endsInLine = bytes.at(-1) === 10 || bytes.at(-1) === 13;
      await new Promise<void>((resolve, reject) => {
        parser.write(bytes, (fault) => (fault ? reject(fault) : resolve()));
      });
      if (group.length > 0) yield taken();
    }
    await finished(parser.end());
    if (group.length > 0) yield taken();
  } catch (cause) {
    throw refusal(cause, file, line);
  } finally {
    input.destroy();
    parser.destroy();
  }
}

function refusal(cause: unknown, file: InputFile, line: number): unknown {
  const code = (cause as CsvError).code;
  if (!/^(CSV|INVALID)_/.test(String(code))) return cause;
  if (code === 'CSV_MAX_RECORD_SIZE') return recordTooLong(file, line);
  const sentences: Record<string, string> = {
    CSV_QUOTE_NOT_CLOSED: 'A quote that opens in this record is never closed.',
    CSV_INVALID_CLOSING_QUOTE: 'A quoted cell goes on behind its closing quote.',
    INVALID_OPENING_QUOTE: 'A quote stands in the middle of a cell that is not quoted.',
  };
  const what = sentences[code] ?? 'The file is no well-formed CSV here.';
  return new PayrunError('file-refused', what, {
    place: { file: file.shown, line },
    todo: 'Write quotes inside a cell twice and the whole cell in quotes: "5"" pipe". Nothing of the file was recorded.',
    cause,
  });
}

function lineBreaksIn(cells: string[], file: InputFile, line: number): number {
  let breaks = 0;
  for (const cell of cells) {
    if (cell.length > file.limits.field_length) throw cellTooLong(file, line, cells.indexOf(cell) + 1);
    if (cell.includes('\n') || cell.includes('\r')) breaks += cell.match(/\r\n|\n|\r/g)!.length;
  }
  return breaks;
}

/** The text of the first lines that are not blank, at most one record's greatest length; the last may be cut off. */
async function firstLines({ read, limits }: InputFile): Promise<string[]> {
  let text = '';
  for await (const piece of read()) {
    text = (text + (piece as Buffer).toString('utf8')).replace(/^[\ufeff\r\n]+/, '');
    if (text.length >= likelyLength && (/[\r\n]/.test(text) || text.length > limits.record_bytes)) break;
  }
  return text.split(/\r\n|\n|\r/);
}

const likelyLength = 1 << 14;
const likelyLines = 20;
const separatorLine = /^"?sep=(.)"?$/i;

/**
 * The mark that parts the cells: the one that a `sep=` line names, else the one that the header has most of and, where
 * two have as many, that the lines below have as many of as well.
 */
function delimiterOf(lines: string[]): string {
  const named = separatorLine.exec(lines[0] ?? '')?.[1];
  if (named) return named;
  const outside = lines.slice(0, likelyLines).map((line) => line.replace(/"[^"]*"/g, ''));
  const scored = [',', ';', '\t', '|'].map((mark) => {
    const [header = 0, ...below] = outside.map((line) => line.split(mark).length - 1);
    return { mark, header, agreeing: below.filter((count) => count === header).length };
  });
  return scored.reduce((best, one) =>
    one.header > best.header || (one.header === best.header && one.agreeing > best.agreeing) ? one : best,
  ).mark;
}
