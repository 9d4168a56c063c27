import { stripVTControlCharacters, styleText } from 'node:util';
import { showCount } from '../money.ts';

/** Colours, or none: every function returns its text, styled for a terminal or as it is. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
}

export interface Column {
  title: string;
  /** Numbers and amounts stand at the right. */
  align?: 'right';
}

/** A Paint that styles when `isColoured`, and else leaves every text alone. */
export function createPaint(isColoured: boolean): Paint {
  const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: style('bold'),
    dim: style('dim'),
    good: style('green'),
    warn: style('yellow'),
    bad: style('red'),
  };
}

/** Rows below their titles, aligned, two spaces between the columns; every row has as many cells as columns. */
export function table(paint: Paint, columns: Column[], rows: string[][]): string {
  const widths = columns.map((column, index) =>
    Math.max(width(column.title), ...rows.map((row) => width(row[index] ?? ''))),
  );
  const line = (cells: string[]) =>
    cells
      .map((cell, index) => {
        const gap = ' '.repeat(Math.max(0, (widths[index] ?? 0) - width(cell)));
        return columns[index]?.align === 'right' ? gap + cell : cell + gap;
      })
      .join('  ')
      .trimEnd();
  const titles = columns.map((column) => column.title);
  return [paint.dim(line(titles)), ...rows.map(line)].join('\n');
}

/** Names and their values, the values aligned; pairs whose value is undefined are left out. */
export function pairs(paint: Paint, list: [name: string, value: string | undefined][]): string {
  const given = list.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const longest = Math.max(0, ...given.map(([name]) => width(name)));
  return given
    .map(([name, value]) => `${paint.dim(name + ' '.repeat(longest - width(name)))}  ${value}`)
    .join('\n');
}

/** A part of an answer under its heading, set in by two spaces. */
export function section(paint: Paint, heading: string, body: string): string {
  return `${paint.bold(heading)}\n${indent(body)}`;
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

/** `text`, or so much of its beginning that it and the mark of the cut take `length` characters. */
export function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** A name out of code or JSON in words: `in_payout` is `in payout`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /^(?![\uff61-\uffdc])(?:\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6])/u;

/** Columns of a terminal that `text` takes: two for a Chinese, Japanese or Korean character, none for a style. */
export function width(text: string): number {
  const plain = stripVTControlCharacters(text);
  let columns = 0;
  for (const { segment } of graphemes.segment(plain)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}
