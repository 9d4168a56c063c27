import type { Readable } from 'node:stream';
import { PayrunError } from '../../errors.ts';
import { type Invisible, piecesWithoutInvisible } from './invisible.ts';
import { lineTooLong, tooManyRows } from './limits.ts';
import { nothingIn } from './nothing.ts';
import type { InputFile } from './open.ts';

/** One line of an event log: its number from 1 (blank lines left out), the physical line, its text. */
export interface LogLine {
  n: number;
  line: number;
  text: string;
}

/** What the reading of a log has met so far besides its lines. */
export interface LogSeen extends Invisible {
  blankLines: number;
}

/**
 * The lines of newline-delimited JSON, in groups; what else is in the file is counted in `seen`. Raises `file-refused` for an empty file, a JSON array where lines
 * are expected, more than the limits of `file` allow, and a last line that was cut off, unless `isPartial` allows that.
 */
export async function* logLines(
  input: Readable,
  file: InputFile,
  isPartial = false,
  seen: LogSeen = { blankLines: 0, invisible: 0 },
): AsyncGenerator<LogLine[]> {
  const { shown, limits } = file;
  let rest = '';
  let line = 0;
  let n = 0;
  const decoder = new TextDecoder();
  for await (const piece of piecesWithoutInvisible(input, seen)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop()!;
    if (rest.length > limits.record_bytes) throw lineTooLong(file, line + lines.length + 1);
    const group: LogLine[] = [];
    for (const text of lines) {
      line += 1;
      if (text.length > limits.record_bytes) throw lineTooLong(file, line);
      const trimmed = text.trim();
      if (trimmed === '') seen.blankLines += 1;
      else group.push({ n: ++n, line, text: trimmed });
    }
    if (group[0]?.n === 1 && group[0].text.startsWith('[')) throw arrayRefused(shown, group[0].line);
    if (n > limits.rows) throw tooManyRows(file);
    if (group.length > 0) yield group;
  }
  const last = rest.trim();
  if (last !== '') {
    if (n === 0 && last.startsWith('[')) throw arrayRefused(shown, line + 1);
    if (!isPartial && !isJson(last))
      throw refused(
        shown,
        line + 1,
        'The last line was cut off: it is no whole JSON.',
        'Export the file again, or set allow_partial in the source to have the whole lines',
      );
    yield [{ n: ++n, line: line + 1, text: last }];
  }
  if (n === 0) throw await nothingIn(file, hasLine);
}

const hasLine = 'Export it again; a log has at least one line. Nothing of it was recorded.';

function arrayRefused(shown: string, line: number): PayrunError {
  return new PayrunError('file-refused', 'This is a JSON array; an event log has one JSON object a line.', {
    place: { file: shown, line },
    todo: 'Write each element on a line of its own, for example with: jq -c ".[]" file.json',
  });
}

function refused(shown: string, line: number, what: string, todo: string): PayrunError {
  return new PayrunError('file-refused', what, {
    place: { file: shown, line },
    todo: `${todo}. Nothing of it was recorded.`,
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
