import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { PayrunError, type Place } from '../errors.ts';
import type { Answer, Answered } from '../ledger/settle.ts';

/** What rows of the file have where they say nothing. */
export type Defaults = Pick<Answer, 'outcome' | 'providerReference' | 'reason'>;

const maxBytes = 50_000_000;
const outcomes: readonly string[] = ['paid', 'failed', 'returned'] satisfies Answered[];
const columns = ['reference', 'status', 'provider reference', 'reason'] as const;

/**
 * Reads what became of payouts out of a CSV file: a header with `reference` and, where they are there, `status` (paid,
 * failed or returned), `provider reference` and `reason`; cells apart by comma, semicolon or tab, text in UTF-8.
 * Raises `file-unreadable`, and `file-refused` with the line for a file that is none.
 */
export async function readResults(file: string, defaults: Defaults): Promise<Answer[]> {
  const name = path.basename(file);
  const [header, ...rows] = recordsOf(await textOf(file), file);
  const at = placesOf(header?.record ?? [], file);
  if (rows.length === 0) throw refused('The file has no rows.', { file });
  return rows.map(({ record, line }) => {
    const cell = (column: (typeof columns)[number]) => record[at(column)]?.trim() || undefined;
    const payout = cell('reference');
    if (payout === undefined) throw refused('The row has no reference.', { file, line, field: 'reference' });
    return {
      payout,
      outcome: outcomeOf(cell('status'), { file, line, field: 'status' }) ?? defaults.outcome,
      providerReference: cell('provider reference') ?? defaults.providerReference,
      reason: cell('reason') ?? defaults.reason,
      where: `${name}:${line}`,
    };
  });
}

async function textOf(file: string): Promise<string> {
  try {
    const about = await stat(file);
    if (!about.isFile()) throw unreadable('This is no file.', file);
    if (about.size > maxBytes)
      throw refused('The file is larger than 50 MB, which no list of payouts is.', { file });
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    if (cause instanceof PayrunError) throw cause;
    if (cause instanceof TypeError) throw refused('The file is no text in UTF-8.', { file });
    const { code } = cause as NodeJS.ErrnoException;
    throw unreadable(`The file can't be read (${code}).`, file, cause);
  }
}

function unreadable(what: string, file: string, cause?: unknown): PayrunError {
  return new PayrunError('file-unreadable', what, { place: { file }, cause });
}

/** The records with the line that each begins on. */
function recordsOf(text: string, file: string): { record: string[]; line: number }[] {
  const first = text.split('\n', 1)[0]!;
  const delimiter = [';', '\t'].find((mark) => first.includes(mark) && !first.includes(',')) ?? ',';
  try {
    const records = parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      skip_empty_lines: true,
      info: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ record, line: info.lines - breaksIn(record) }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw refused('A row has more or fewer cells than the header, or a quote that does not end.', {
      file,
      line: Number(cause.lines),
    });
  }
}

/** Line breaks within the cells: the parser counts to a record's last line. */
function breaksIn(record: string[]): number {
  return record.join('').match(/[\r\n]/g)?.length ?? 0;
}

/** Where each column stands; names are compared by their letters alone. */
function placesOf(header: string[], file: string): (column: (typeof columns)[number]) => number {
  const letters = (name: string) => name.toLowerCase().replace(/[^a-z]/g, '');
  const names = header.map(letters);
  const twice = columns.find((column) => names.filter((name) => name === letters(column)).length > 1);
  if (twice !== undefined) throw refused('A column stands in the header twice.', { file, field: twice });
  if (!names.includes('reference')) {
    throw refused(`The header has no column "reference"; it may have ${columns.join(', ')}.`, { file });
  }
  return (column) => names.indexOf(letters(column));
}

function outcomeOf(text: string | undefined, place: Place): Answered | undefined {
  const status = text?.toLowerCase();
  if (status === undefined || outcomes.includes(status)) return status as Answered | undefined;
  throw refused(`This is no status; it may be ${outcomes.join(', ')}.`, place, text);
}

function refused(what: string, place: Place, found?: string): PayrunError {
  return new PayrunError('file-refused', what, {
    place,
    ...(found === undefined ? {} : { found }),
    todo: 'Correct the file and start again; nothing was marked.',
  });
}
