import { PayrunError } from '../../errors.ts';
import type { Limits } from '../../limits.ts';
import { showCount } from '../../money.ts';

/** A file as its limits and messages need it. */
export interface Limited {
  shown: string;
  limits: Limits;
}

/** The fault of a file that has more of something than its source allows; `instead` is what else may be done. */
export function overLimit(
  shown: string,
  what: string,
  limit: keyof Limits,
  { line, instead }: { line?: number | undefined; instead?: string } = {},
): PayrunError {
  const raise = `If the file is right, raise "${limit}" under "limits" of its source in payrun.json.`;
  return new PayrunError('file-refused', what, {
    place: line === undefined ? { file: shown } : { file: shown, line },
    todo: [instead, raise, 'Nothing of it was recorded.'].filter(Boolean).join(' '),
  });
}

export function tooManyBytes({ shown, limits }: Limited): PayrunError {
  return overLimit(shown, `The file has more than ${showCount(limits.file_bytes)} bytes.`, 'file_bytes');
}

export function tooManyRows({ shown, limits }: Limited): PayrunError {
  return overLimit(shown, `The file has more than ${showCount(limits.rows)} rows.`, 'rows');
}

/** Of a record of CSV that starts on `line`. */
export function recordTooLong({ shown, limits }: Limited, line: number): PayrunError {
  const what = `This record is longer than ${showCount(limits.record_bytes)} bytes; most likely a quote is never closed.`;
  return overLimit(shown, what, 'record_bytes', { line });
}

/** Of a line of a log. */
export function lineTooLong({ shown, limits }: Limited, line: number): PayrunError {
  const what = `This line is longer than ${showCount(limits.record_bytes)} bytes.`;
  return overLimit(shown, what, 'record_bytes', { line });
}

/** Of the record that starts on `line`; `column` is counted from 1. */
export function cellTooLong({ shown, limits }: Limited, line: number, column: number): PayrunError {
  const what = `Cell ${column} of this record has more than ${showCount(limits.field_length)} characters.`;
  return overLimit(shown, what, 'field_length', { line });
}
