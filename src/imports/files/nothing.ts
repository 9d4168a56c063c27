import { PayrunError } from '../../errors.ts';
import type { InputFile } from './open.ts';

/**
 * The fault of a file in which no record was found: nothing was written to it at all, only the mark that it should begin
 * with, or only lines that say nothing, of which `hasSeparatorLine` tells that one is a `sep=` line.
 */
export async function nothingIn(
  file: InputFile,
  todo: string,
  hasSeparatorLine = false,
): Promise<PayrunError> {
  return new PayrunError('file-refused', `${await whatStandsIn(file, hasSeparatorLine)}.`, {
    place: { file: file.shown },
    todo,
  });
}

async function whatStandsIn(file: InputFile, hasSeparatorLine: boolean): Promise<string> {
  if (file.workbook)
    return file.workbook.sheet === undefined
      ? 'No sheet of the workbook has data'
      : 'The sheet that the source names has no data';
  if (hasSeparatorLine) return 'The file has nothing but a "sep=" line';
  if (await hasText(file)) return 'The file has nothing but blank lines';
  return file.encoding.by === 'mark' ? 'The file has nothing but a byte order mark' : 'The file is empty';
}

/** Whether anything stands in the file behind a byte order mark; it is read no further than to that. */
async function hasText(file: InputFile): Promise<boolean> {
  const decoder = new TextDecoder();
  for await (const piece of file.read()) {
    if (decoder.decode(piece as Buffer, { stream: true }) !== '') return true;
  }
  return false;
}
