import type { Session } from '../../db/connect.ts';
import { readId, showId } from '../../ids.ts';
import { faultMessage } from '../faults.ts';
import { type LogLine, logLines } from '../files/ndjson.ts';
import type { Landing } from '../landing.ts';
import { matched, outcomes, type RejectsFile, writeRejects } from '../rejects.ts';
import { suggester } from '../suggestions.ts';
import { parseObject } from './json-object.ts';

/** What an earlier import has added to the end of a line. */
const earlierFault =
  /,?(?:"import":"(imp_[0-9a-z]{26})",)?"line":\d+,"error":"[^"]*","field":"[^"]*","message":"(?:[^"\\]|\\.)*"(?:,"suggestion":"(?:[^"\\]|\\.)*")?\}$/;

/** The import that rejected the lines of a log, as the first of them says. */
function rejectsIn(group: LogLine[]): string | undefined {
  const shown = group[0]?.n === 1 ? earlierFault.exec(group[0].text)?.[1] : undefined;
  return shown === undefined ? undefined : readId(shown)?.id;
}

/**
 * The lines of a log. Of a rejects file, which is told with the import that rejected them, those that could not be parsed
 * are what stands in their text.
 */
export async function* unwrapped(
  groups: AsyncIterable<LogLine[]>,
  onRejects: (importId: string) => void = () => {},
): AsyncGenerator<LogLine[]> {
  let rejectsOf: string | undefined;
  for await (const group of groups) {
    rejectsOf ??= rejectsIn(group);
    if (rejectsOf !== undefined) onRejects(rejectsOf);
    yield rejectsOf === undefined ? group : group.map(unwrappedLine);
  }
}

function unwrappedLine(line: LogLine): LogLine {
  if (!line.text.startsWith('{"text":')) return line;
  const body = parseObject(line.text);
  const isWrapped = typeof body !== 'string' && body.error === 'json' && typeof body.text === 'string';
  return isWrapped ? { ...line, text: (body.text as string).trim() } : line;
}

/**
 * Reads the log a second time and writes its rejected lines as JSON lines that people can correct and import: with
 * import, line, error, field, message and suggestion added, else letter for letter.
 */
export async function writeRejectsLog(session: Session, landing: Landing): Promise<RejectsFile> {
  const { file, work, importId, mover } = landing;
  const suggest = await suggester(session, mover.accountId);
  const lines = unwrapped(logLines(file.read(), file, true));
  const rejected = matched(lines, outcomes(session, 'rejected'));
  async function* chunks(): AsyncGenerator<string> {
    for await (const { record, outcome } of rejected) {
      const { line, code, field, found } = outcome;
      const message = faultMessage(code, field, found);
      const suggestion = suggest(outcome) || undefined;
      const named = { import: showId('import', importId), line, error: code, field, message, suggestion };
      const added = JSON.stringify(named);
      const body =
        code === 'json' ? JSON.stringify({ text: record.text }) : record.text.replace(earlierFault, '}');
      const start = body.replace(/\s*\}$/, '');
      yield `${start}${start === '{' ? '' : ','}${added.slice(1)}\n`;
    }
  }
  return writeRejects(work, importId, 'ndjson', chunks());
}
