import { isAscii } from 'node:buffer';
import { showCount } from '../../money.ts';
import { withoutInvisible } from '../values/invisible.ts';

/** How the invisible characters begin in UTF-8; few others begin so. */
const beginnings = ['c2ad', 'e280', 'e281', 'efbbbf'].map((hex) => Buffer.from(hex, 'hex'));

/** Whether `bytes` are of plain ASCII or, whatever else is in them, none of these. */
function mayHide(bytes: Buffer): boolean {
  return !isAscii(bytes) && beginnings.some((beginning) => bytes.includes(beginning));
}

/** Where the invisible characters that were taken out are counted. */
export interface Invisible {
  invisible: number;
}

/**
 * UTF-8 text, in pieces that end with a whole character, without a byte order mark in front and without invisible
 * characters, which are counted in `seen`. Text that has none costs next to nothing.
 */
export async function* piecesWithoutInvisible(
  input: AsyncIterable<Buffer>,
  seen: Invisible,
): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const piece of input) {
    const bytes = isFirst && piece.indexOf('\ufeff') === 0 ? piece.subarray(3) : piece;
    isFirst = false;
    yield mayHide(bytes) ? Buffer.from(textWithoutInvisible(bytes.toString('utf8'), seen)) : bytes;
  }
}

/** A text without invisible characters, which are counted in `seen`. */
export function textWithoutInvisible(text: string, seen: Invisible): string {
  const left = withoutInvisible(text);
  seen.invisible += text.length - left.length;
  return left;
}

/** The warning for invisible characters that were taken out. */
export function invisibleTaken({ invisible }: Readonly<Invisible>): string[] {
  if (invisible === 0) return [];
  return [
    invisible === 1
      ? '1 invisible character stood in the text and was taken out'
      : `${showCount(invisible)} invisible characters stood in the text and were taken out`,
  ];
}
