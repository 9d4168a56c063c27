import { stringify } from 'csv-stringify/sync';
import type { Session } from '../db/connect.ts';
import { showId } from '../ids.ts';
import type { Work } from '../runs/work.ts';
import { kept } from '../spreadsheet.ts';
import { rejectColumns } from './columns.ts';
import { faultMessage } from './faults.ts';
import { encoded, markedUtf8, NotInEncoding } from './files/encode.ts';
import type { InputFile } from './files/open.ts';
import type { CsvFile, CsvRecord } from './files/records.ts';
import { matched, type Outcome, outcomes, type RejectsFile, writeRejects } from './rejects.ts';
import { type Suggest, suggester } from './suggestions.ts';

/** Rows that become text together. */
const batchRows = 500;

/** A table that was imported, and where its rejects go. */
export interface RejectsOrder {
  file: InputFile;
  /** Reads it a second time, as it was read the first time. */
  again(): Promise<CsvFile>;
  accountId: number;
  importId: string;
  /** The run that imports it. */
  work: Pick<Work, 'context' | 'runId'>;
  /** Finds the rejected records in place of `matched`, where several are one row. */
  match?: typeof matched<CsvRecord> | undefined;
  /** Writes typed cells as the source would have them in text. */
  asText?: (groups: AsyncIterable<CsvRecord[]>) => AsyncIterable<CsvRecord[]>;
}

/**
 * Reads the file a second time and writes its rejected records as a CSV that people can correct and import: in the
 * layout, encoding and delimiter of the input, as UTF-8 with a mark where that encoding can't hold it.
 */
export async function writeRejectsCsv(
  session: Session,
  { file, again, accountId, importId, work, asText = (groups) => groups, match = matched }: RejectsOrder,
): Promise<RejectsFile> {
  const suggest = await suggester(session, accountId);
  const write = async (encoding: InputFile['encoding']) => {
    const csv = await again();
    const rejected = match(asText(csv.groups), outcomes(session, 'rejected'));
    const text = rejectedCsv(csv, importId, suggest, rejected);
    return writeRejects(work, importId, 'csv', encoded(text, encoding));
  };
  try {
    return await write(file.encoding);
  } catch (cause) {
    if (!(cause instanceof NotInEncoding)) throw cause;
    const rejects = await write(markedUtf8);
    return { ...rejects, note: 'the rejects file is UTF-8, because the encoding of the file can’t hold it' };
  }
}

/**
 * The CSV of rejected records, in pieces that end with a row: the original columns and values, with formulas made
 * harmless, then the import, line, error, field, message and suggestion. It has the delimiter of `csv`, and a `sep=`
 * line where that had one.
 */
export async function* rejectedCsv(
  csv: Pick<CsvFile, 'header' | 'delimiter' | 'beside'>,
  importId: string,
  suggest: Suggest,
  rejected: AsyncIterable<{ record: { cells: string[] }; outcome: Outcome }>,
): AsyncGenerator<string> {
  const { delimiter } = csv;
  const shownImport = showId('import', importId);
  // Without quotes a line break in a cell that is not that of the file would end its row.
  const style = { delimiter, record_delimiter: '\r\n', quoted_match: /[\r\n]/ } as const;
  const separator = csv.beside.seen.hasSeparatorLine ? `sep=${delimiter}\r\n` : '';
  yield separator + stringify([[...csv.header.map(kept), ...rejectColumns]], style);
  let rows: string[][] = [];
  for await (const { record, outcome } of rejected) {
    const { line, code, field, found } = outcome;
    const added = [String(line), code, field, faultMessage(code, field, found), suggest(outcome)];
    rows.push([...record.cells, shownImport, ...added].map(kept));
    if (rows.length < batchRows) continue;
    yield stringify(rows, style);
    rows = [];
  }
  if (rows.length > 0) yield stringify(rows, style);
}
