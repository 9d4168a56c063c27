import { piecesWithoutInvisible } from './invisible.ts';
import type { InputFile } from './open.ts';

const likelyLength = 1 << 14;
const likelyLines = 60;

/** A line above the header by which a file says what parts its cells. */
export const separatorLine = /^"?sep=(.)"?$/i;

/** The text of the first lines that are not blank, at most a record's greatest length; the last may be cut off. */
export async function firstLines({ read, limits }: InputFile): Promise<string[]> {
  let text = '';
  for await (const piece of piecesWithoutInvisible(read(), { invisible: 0 })) {
    text = (text + piece.toString('utf8')).replace(/^[\r\n]+/, '');
    if (text.length >= likelyLength && (/[\r\n]/.test(text) || text.length > limits.record_bytes)) break;
  }
  return text.split(/\r\n|\n|\r/);
}

/** How the header of a rejects file ends, whose rows may have any number of cells. */
const rejectsHeader = /(.)error\1field\1message(?:\1suggestion)?$/;

const marks = [',', ';', '\t', '|'];

/**
 * The mark that parts the cells: the one that a `sep=` line or a rejects file shows, else that of `, ; tab |` by which a
 * line has cells that `isHeader` takes for a header's; without `isHeader` the first line is the header, and its is the
 * mark that it has most of. Where that leaves several, it is the one that most of the lines have equally often and,
 * where two are alike in that too, that they have more of.
 */
export function delimiterOf(lines: string[], isHeader?: (names: string[]) => boolean): string {
  const [first = ''] = lines;
  const named = (separatorLine.exec(first) ?? rejectsHeader.exec(first))?.[1];
  if (named) return named;
  const likely = lines.slice(0, likelyLines);
  const outside = likely.map((line) => line.replace(/"[^"]*"/g, ''));
  const possible = isHeader ? headerMarks(likely, isHeader) : mostIn(outside[0] ?? '');
  const scored = possible.map((mark) => ({
    mark,
    ...agreement(outside.map((line) => line.split(mark).length - 1)),
  }));
  return scored.reduce((best, one) =>
    one.lines > best.lines || (one.lines === best.lines && one.marks > best.marks) ? one : best,
  ).mark;
}

/** The marks by which the first line that can be a header is one; all where no line is. */
function headerMarks(lines: string[], isHeader: (names: string[]) => boolean): string[] {
  for (const line of lines) {
    const found = marks.filter((mark) =>
      isHeader(line.split(mark).map((name) => name.trim().replace(/^"|"$/g, ''))),
    );
    if (found.length > 0) return found;
  }
  return marks;
}

function mostIn(line: string): string[] {
  const counts = marks.map((mark) => line.split(mark).length - 1);
  return marks.filter((_, index) => counts[index] === Math.max(...counts));
}

/** How many lines have the same number of marks, at least one, and that number. */
function agreement(counts: number[]): { lines: number; marks: number } {
  const linesWith = new Map<number, number>();
  for (const marks of counts) if (marks > 0) linesWith.set(marks, (linesWith.get(marks) ?? 0) + 1);
  return [...linesWith].reduce(
    (best, [marks, lines]) =>
      lines > best.lines || (lines === best.lines && marks > best.marks) ? { lines, marks } : best,
    { lines: 0, marks: 0 },
  );
}
