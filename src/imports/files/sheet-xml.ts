import { Noted } from '../noted.ts';
import { type Shown, shownBy } from './number-formats.ts';

/** Excel's own limits; an address beyond them is that of a damaged file, or of one made to fill the memory. */
const [mostRows, mostColumns] = [1_048_576, 16_384];

/** What the library can't tell of a cell by itself. */
export type Mark = Shown | 'date';

/** One number for the address of a cell; row and column are counted from 1. */
export function cellKey(row: number, column: number): number {
  return row * (mostColumns + 1) + column;
}

const tags = /<((?:\w+:)?)(row|c|f|v|is|filterColumn)(?=[\s/>])([^>]*)>/g;
const valueTag = /^<(?:\w+:)?v[\s>]/;

/**
 * Makes the XML of a sheet ready, piece by piece, for the library that reads it, which would drop errors (`#N/A`), read
 * dates stored as text in the machine's zone, know no percentages, currencies and leading zeros, and fill the memory for a
 * single cell in a far corner. Such cells become text and are marked, cells without an address get theirs, and rows lose
 * what only says how they look.
 */
export class SheetXml {
  /** By `cellKey`: numbers to which their format adds something, and dates stored as text. */
  readonly marks = new Map<number, Mark>();
  /** By `cellKey`: cells with a formula of which no result is stored. */
  readonly formulas = new Set<number>();
  /** Rows with data that are hidden. */
  readonly hiddenRows = new Noted();
  /** Whether a filter chooses what rows are shown. */
  isFiltered = false;
  /** The last row that has data. */
  rows = 0;
  /** The last column that has data. */
  columns = 0;
  /** Whether an address lies beyond Excel's limits, or where it can't. */
  isBeyond = false;
  readonly #styles: ReadonlyMap<string, Shown>;
  #row = 0;
  #column = 0;
  #isHidden = false;
  #isText = false;
  #rest = '';

  /** `styles` are those that `shownStyles` finds. */
  constructor(styles: ReadonlyMap<string, Shown>) {
    this.#styles = styles;
  }

  /** The next piece of XML made ready; the beginning of a tag that it ends in comes with the next one. */
  ready(piece: string): string {
    const xml = this.#rest + piece;
    const last = xml.lastIndexOf('<');
    // Whether a value is empty is told by what comes behind its tag.
    const end = valueTag.test(xml.slice(last)) ? last : xml.lastIndexOf('>') + 1;
    this.#rest = xml.slice(end);
    const whole = xml.slice(0, end);
    return whole.replace(tags, (tag, prefix: string, name: string, attributes: string, at: number) => {
      if (name === 'row') return this.#rowTag(prefix, attributes);
      if (name === 'c') return this.#cellTag(prefix, attributes);
      if (name === 'filterColumn') this.isFiltered = true;
      else this.#noteData(name, attributes.endsWith('/') || whole.startsWith('</', at + tag.length));
      return tag;
    });
  }

  #rowTag(prefix: string, attributes: string): string {
    this.#row = Number(attribute(attributes, 'r') ?? this.#row + 1);
    this.#column = 0;
    this.#isHidden = /^(?:1|true)$/.test(attribute(attributes, 'hidden') ?? '');
    this.isBeyond ||= !(this.#row >= 1 && this.#row <= mostRows);
    return `<${prefix}row r="${this.#row}"${attributes.endsWith('/') ? '/' : ''}>`;
  }

  #cellTag(prefix: string, attributes: string): string {
    const at = attribute(attributes, 'r');
    this.#column = at === undefined ? this.#column + 1 : columnOf(at);
    const isInside = this.#column >= 1 && this.#column <= mostColumns;
    this.isBeyond ||= !isInside || (at !== undefined && at.replace(/^[A-Z]+/, '') !== String(this.#row));
    const address = at === undefined && isInside ? ` r="${lettersOf(this.#column)}${this.#row}"` : '';
    return `<${prefix}c${address}${this.#typed(attributes)}>`;
  }

  /** Of a cell that has a formula, or a value or text, which may be empty. */
  #noteData(name: string, isEmpty: boolean): void {
    this.rows = this.#row;
    this.columns = Math.max(this.columns, this.#column);
    if (this.#isHidden) this.hiddenRows.add(this.#row);
    this.#isHidden = false;
    const key = cellKey(this.#row, this.#column);
    if (name === 'f' && !this.#isText) this.formulas.add(key);
    else if (name !== 'f' && !isEmpty) this.formulas.delete(key);
  }

  /** The attributes of a cell, with the type of text where the library is not to read it by itself. */
  #typed(attributes: string): string {
    const type = attribute(attributes, 't') ?? 'n';
    this.#isText = type === 'str';
    const shown = type === 'n' ? this.#styles.get(attribute(attributes, 's') ?? '') : undefined;
    if (shown === undefined && type !== 'd' && type !== 'e') return attributes;
    if (type !== 'e') this.marks.set(cellKey(this.#row, this.#column), shown ?? 'date');
    return ` t="str"${attributes.replace(/\st\s*=\s*(["']).*?\1/, '')}`;
  }
}

/** The cell styles in `xml` (styles.xml) that add something to a number, by the numbers that cells name them with. */
export function shownStyles(xml: string): Map<string, Shown> {
  const formats = new Map<string, Shown>([
    ['9', 'percent'],
    ['10', 'percent'],
  ]);
  for (const [, attributes] of xml.matchAll(/<(?:\w+:)?numFmt\s([^>]*)>/g)) {
    const [id, code = ''] = [attribute(attributes!, 'numFmtId'), attribute(attributes!, 'formatCode')];
    const shown = shownBy(unescaped(code));
    if (id !== undefined && shown !== undefined) formats.set(id, shown);
  }
  const [, cellFormats = ''] = /<(?:\w+:)?cellXfs[\s>](.*?)<\/(?:\w+:)?cellXfs>/s.exec(xml) ?? [];
  const styles = new Map<string, Shown>();
  [...cellFormats.matchAll(/<(?:\w+:)?xf\s([^>]*)>/g)].forEach(([, attributes], index) => {
    const shown = formats.get(attribute(attributes!, 'numFmtId') ?? '');
    if (shown !== undefined) styles.set(String(index), shown);
  });
  return styles;
}

/** The text of an attribute's value. */
function unescaped(value: string): string {
  const named: Record<string, string> = { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' };
  return value.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (entity, decimal, hex, name) => {
    if (name !== undefined) return named[name] ?? entity;
    const code = Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}

/** Writes `date1904` the one way that the library knows; LibreOffice writes it as a word. */
export function readyWorkbook(xml: string): string {
  return xml.replace(/(\bdate1904\s*=\s*["'])true(["'])/, '$11$2');
}

/** Which sheets of a workbook are hidden, counted from 0, by `xml` (workbook.xml). */
export function hiddenSheets(xml: string): Set<number> {
  const sheets = [...xml.matchAll(/<(?:\w+:)?sheet\s([^>]*)>/g)];
  const hidden = sheets.map(([, attributes]) =>
    /^(?:very)?hidden$/i.test(attribute(attributes!, 'state') ?? ''),
  );
  return new Set(hidden.flatMap((isHidden, index) => (isHidden ? [index] : [])));
}

type AttributeName = 'r' | 's' | 't' | 'numFmtId' | 'formatCode' | 'state' | 'hidden';

/** Compiled once: they are looked for in every cell. */
const patterns = Object.fromEntries(
  ['r', 's', 't', 'numFmtId', 'formatCode', 'state', 'hidden'].map((name) => [
    name,
    new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`),
  ]),
) as Record<AttributeName, RegExp>;

function attribute(attributes: string, name: AttributeName): string | undefined {
  const found = patterns[name].exec(attributes);
  return found ? (found[1] ?? found[2]) : undefined;
}

function columnOf(address: string): number {
  let column = 0;
  for (const letter of /^[A-Z]{1,4}(?=[0-9])/.exec(address)?.[0] ?? '')
    column = column * 26 + letter.charCodeAt(0) - 64;
  return column;
}

function lettersOf(column: number): string {
  const letter = String.fromCharCode(65 + ((column - 1) % 26));
  return column <= 26 ? letter : lettersOf(Math.floor((column - 1) / 26)) + letter;
}
