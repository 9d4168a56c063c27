import { visibleInLine } from '../visible.ts';
import { unstyled } from './paint.ts';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /^(?![\uff61-\uffdc])(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6])/u;

/** Columns of a terminal that `text` takes: two for a Chinese, Japanese or Korean character, none for a style. */
export function width(text: string): number {
  const plain = visibleInLine(unstyled(text));
  if (/^[ -~]*$/.test(plain)) return plain.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(plain)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

/** Spaces at which no line may end: within an amount, a percentage, a moment with its zone, and behind a sign. */
const inside =
  /(?<=\d) (?=[A-Z]{3}(?![A-Za-z])|%)|(?<=\d{4}-\d\d-\d\d) (?=\d\d:\d\d)|(?<=\d\d:\d\d(?::\d\d)?) (?=UTC|[A-Z][A-Za-z_]+\/)|(?<=(?:^| )[=+]) (?=[-\d])/g;
const kept = '\u0000';

/** The pieces of a line that may stand on lines of their own, with the spaces before each: words, ids, amounts. */
function piecesOf(line: string): { gap: string; piece: string }[] {
  const found = line.replace(inside, kept).matchAll(/( *)([^ ]+)/g);
  return [...found].map(([, gap = '', piece = '']) => ({ gap, piece: piece.replaceAll(kept, ' ') }));
}

/** Columns of the longest piece of a line, which no column can be narrower than. */
export function longestPiece(line: string): number {
  return Math.max(0, ...piecesOf(line).map(({ piece }) => width(piece)));
}

/**
 * One line as several of at most `columns`; those behind the first begin with `hang`. A piece that is longer than that
 * stands on a line of its own and stays whole.
 */
export function wrapLine(line: string, columns: number, hang = ''): string[] {
  if (columns === Number.POSITIVE_INFINITY || width(line) <= columns) return [line];
  const lines: string[] = [];
  let last = '';
  for (const { gap, piece } of piecesOf(line)) {
    const isFirst = last.trim() === '';
    if (!isFirst && width(last) + gap.length + width(piece) > columns) {
      lines.push(last);
      last = hang + piece;
    } else last += gap + piece;
  }
  return [...lines, last];
}

/** A text of several lines, each of at most `columns`: what goes on is set in by two more than it began. */
export function wrap(text: string, columns: number): string {
  if (columns === Number.POSITIVE_INFINITY) return text;
  const hangOf = (line: string) => `${/^ */.exec(line)?.[0] ?? ''}  `;
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, columns, hangOf(line)))
    .join('\n');
}
