import type { Readable } from 'node:stream';
import type { CsvError } from 'csv-parse';
import { PayrunError } from '../../errors.ts';
import { piecesWithoutInvisible } from './invisible.ts';
import { type Limited, recordTooLong } from './limits.ts';
import { type CsvRecord, type CsvStyle, RecordReading } from './record-reading.ts';
import type { Seen } from './seen.ts';

/**
 * The records of a CSV in groups, as the parser has them ready; blank lines and a `sep=` line are left out. Raises
 * `file-refused` for a quote that is never closed and more than the file's limits allow, with the physical line where it starts.
 */
export async function* recordsOf(
  input: Readable,
  file: Limited,
  style: CsvStyle,
  seen: Seen,
): AsyncGenerator<CsvRecord[]> {
  const reading = new RecordReading(file, style, seen);
  try {
    for await (const bytes of piecesWithoutInvisible(input, seen)) {
      seen.endsInLine = bytes.at(-1) === 10 || bytes.at(-1) === 13;
      await reading.write(bytes);
      const ready = reading.take();
      if (ready.length > 0) yield ready;
    }
    await reading.end();
    const ready = reading.take();
    if (ready.length > 0) yield ready;
  } catch (cause) {
    throw refusal(cause, file, reading.line);
  } finally {
    input.destroy();
    reading.close();
  }
}

const sentences: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'A quote that opens in this record is never closed.',
  CSV_INVALID_CLOSING_QUOTE: 'A quoted cell goes on behind its closing quote.',
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: 'A quoted cell goes on behind its closing quote.',
};

function refusal(cause: unknown, file: Limited, line: number): unknown {
  const code = (cause as CsvError).code;
  if (!/^(CSV|INVALID)_/.test(String(code))) return cause;
  if (code === 'CSV_MAX_RECORD_SIZE') return recordTooLong(file, line);
  return new PayrunError('file-refused', sentences[code] ?? 'The file is no well-formed CSV here.', {
    place: { file: file.shown, line },
    todo: 'Write quotes inside a cell twice and the whole cell in quotes: "5"" pipe". Nothing of the file was recorded.',
    cause,
  });
}
