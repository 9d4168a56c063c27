import { showCount } from '../money.ts';
import { visibleInLine } from '../visible.ts';
import { longestPiece, width, wrapLine } from './layout.ts';
import type { Paint } from './paint.ts';

export type { Paint } from './paint.ts';

export interface Column {
  title: string;
  /** Numbers and amounts stand at the right, and are never broken. */
  align?: 'right';
}

const gap = '  ';
/** A column of prose is hard to read below this. */
const narrowest = 20;

/**
 * Rows below their titles, aligned, two spaces between the columns; every row has as many cells as columns. Where the
 * terminal is too narrow, prose is broken between words, and where that is not enough, each row becomes names and values.
 */
export function table(paint: Paint, columns: Column[], rows: string[][]): string {
  const cells = rows.map((row) => row.map(visibleInLine));
  const widths = widthsOf(paint.columns, columns, cells);
  if (widths === undefined) return cells.map((row) => recordOf(paint, columns, row)).join('\n\n');
  const line = (row: string[]) =>
    row
      .map((cell, index) => {
        const rest = ' '.repeat(Math.max(0, widths[index]! - width(cell)));
        return columns[index]?.align === 'right' ? rest + cell : cell + rest;
      })
      .join(gap)
      .trimEnd();
  const lines = (row: string[]) => {
    const broken = row.map((cell, index) => wrapLine(cell, widths[index]!));
    const height = Math.max(...broken.map((parts) => parts.length));
    return Array.from({ length: height }, (_, at) => line(broken.map((parts) => parts[at] ?? '')));
  };
  const titles = lines(columns.map((column) => column.title));
  return [...titles.map((title) => paint.dim(title)), ...cells.flatMap(lines)].join('\n');
}

/** How wide each column is, so that all fit into `available`; undefined where they can't. */
function widthsOf(available: number, columns: Column[], rows: string[][]): number[] | undefined {
  const natural = columns.map(({ title }, index) =>
    Math.max(width(title), ...rows.map((row) => width(row[index] ?? ''))),
  );
  let excess = natural.reduce((sum, one) => sum + one + gap.length, -gap.length) - available;
  if (excess <= 0) return natural;
  const least = columns.map(({ title, align }, index) => {
    if (align === 'right') return natural[index]!;
    const longest = Math.max(longestPiece(title), ...rows.map((row) => longestPiece(row[index] ?? '')));
    return Math.min(natural[index]!, Math.max(narrowest, longest));
  });
  const widths = [...natural];
  while (excess > 0) {
    const spare = widths.map((one, index) => (one > least[index]! ? one : 0));
    const widest = Math.max(...spare);
    if (widest === 0) return undefined;
    widths[spare.indexOf(widest)]! -= 1;
    excess -= 1;
  }
  return widths;
}

function recordOf(paint: Paint, columns: Column[], row: string[]): string {
  return pairs(
    paint,
    columns.map(({ title }, index) => [title, row[index] || undefined]),
  );
}

/** Names and their values, the values aligned and broken between words; pairs whose value is undefined are left out. */
export function pairs(paint: Paint, list: [name: string, value: string | undefined][]): string {
  const given = list.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const longest = Math.max(0, ...given.map(([name]) => width(name)));
  const hang = ' '.repeat(longest + gap.length);
  return given
    .flatMap(([name, value]) => {
      const lines = wrapLine(visibleInLine(value), paint.columns - hang.length);
      const label = visibleInLine(name);
      return lines.map((line, at) =>
        at === 0 ? `${paint.dim(label + ' '.repeat(longest - width(label)))}${gap}${line}` : hang + line,
      );
    })
    .join('\n');
}

/** Sentences, one a line: an end of line that data brought is shown as such. */
export function sentences(list: readonly string[]): string {
  return list.map(visibleInLine).join('\n');
}

/**
 * A part of an answer under its heading, set in by two spaces. What depends on the width, as tables do, is given as a
 * function of the Paint for what is left of it.
 */
export function section(paint: Paint, heading: string, body: string | ((paint: Paint) => string)): string {
  const text = typeof body === 'string' ? body : body({ ...paint, columns: paint.columns - 2 });
  return `${paint.bold(visibleInLine(heading))}\n${indent(text)}`;
}

/** The parts that are not empty, an empty line between them. */
export function paragraphs(...parts: (string | undefined)[]): string {
  return parts.filter(Boolean).join('\n\n');
}

/** Every line that is not empty set in by two spaces. */
export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** `3 rows`, `1 row`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${showCount(count)} ${count === 1 ? one : many}`;
}

/** A count under the plural that it has in code or JSON: `3 approved batches`, `1 approved batch`. */
export function countOf(count: number, name: string): string {
  return `${showCount(count)} ${words(count === 1 ? name.replace(/(?<=ch)es$|s$/, '') : name)}`;
}

/** An exact decimal such as `-1234.50` as people read it: `-1,234.50 USD`. */
export function showDecimal(decimal: string, currency: string): string {
  const match = /^(-?)(\d+)(\.\d+)?$/.exec(decimal);
  if (!match) return `${decimal} ${currency}`;
  return `${match[1]}${showCount(BigInt(match[2]!))}${match[3] ?? ''} ${currency}`;
}

/** A name out of code or JSON in words: `in_payout` is `in payout`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}
