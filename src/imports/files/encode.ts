import { isAscii } from 'node:buffer';
import iconv from 'iconv-lite';
import type { Encoding } from '../../config-source.ts';
import { EncodingScan, type FoundEncoding } from './encoding.ts';

/** Text can't be written so that it is read back: the encoding lacks a character, or would be taken for another. */
export class NotInEncoding extends Error {}

/** With a mark, which spreadsheet programs need to open it right. */
export const markedUtf8: FoundEncoding = { encoding: 'utf-8', by: 'mark' };

/**
 * The bytes of `chunks`, none of which ends within a character, in an encoding as it was found in the input; the
 * Unicode ones begin with their mark. Raises `NotInEncoding` from the stream.
 */
export async function* encoded(chunks: AsyncIterable<string>, wanted: FoundEncoding): AsyncGenerator<Buffer> {
  const { encoding } = wanted;
  const isMarked = encoding.startsWith('utf');
  const scan = new EncodingScan();
  let isPlain = true;
  let mark = isMarked ? '\ufeff' : '';
  for await (const chunk of chunks) {
    const bytes = bytesOf(mark + chunk, encoding);
    mark = '';
    if (!isMarked) {
      scan.add(bytes);
      isPlain &&= isAscii(bytes);
    }
    yield bytes;
  }
  if (!isMarked && !isReadBack(scan, wanted, isPlain)) throw new NotInEncoding();
}

function bytesOf(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text);
  // Since 1998 the euro stands where the table of the library still has the sign for any currency.
  const isEuro = encoding === 'macroman';
  if (isEuro && text.includes('¤')) throw new NotInEncoding();
  const bytes = iconv.encode(isEuro ? text.replaceAll('€', '¤') : text, encoding);
  const back = iconv.decode(bytes, encoding, { stripBOM: false });
  if ((isEuro ? back.replaceAll('¤', '€') : back) !== text) throw new NotInEncoding();
  return bytes;
}

/** Few rows may look like another encoding than the whole file did; a setting of the source stands above that. */
function isReadBack(scan: EncodingScan, { encoding, by }: FoundEncoding, isPlain: boolean): boolean {
  try {
    const found = scan.found('');
    return found.by !== 'mark' && (by === 'setting' || isPlain || found.encoding === encoding);
  } catch {
    return false;
  }
}
