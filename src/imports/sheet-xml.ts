/** Excel's own limits; an address beyond them is that of a damaged file, or of one made to fill the memory. */
const [mostRows, mostColumns] = [1_048_576, 16_384];

/** What the reader of sheets can't tell by itself: cells to be read otherwise, and how large the sheet is. */
export interface ReadySheet {
  xml: string;
  /** By `cellKey`: numbers shown as percentages, and dates stored as text. */
  marks: Map<number, 'percent' | 'date'>;
  /** The last row that has data, and the last column. */
  rows: number;
  columns: number;
}

/** One number for the address of a cell; row and column are counted from 1. */
export function cellKey(row: number, column: number): number {
  return row * (mostColumns + 1) + column;
}

const tags = /<((?:\w+:)?)(row|c|v|is)(?=[\s/>])([^>]*)>/g;

/**
 * Makes the XML of a sheet ready for the library that reads it, which would drop errors (`#N/A`), read dates stored
 * as text in the machine's zone, know no percentages, and fill the memory for a single cell in a far corner. Such
 * cells become text and are marked, and cells without an address get theirs. `percents` are the styles that show
 * percentages. Undefined when an address is beyond Excel's limits.
 */
export function readySheet(xml: string, percents: ReadonlySet<string>): ReadySheet | undefined {
  const marks: ReadySheet['marks'] = new Map();
  let [row, column, rows, columns] = [0, 0, 0, 0];
  let isBeyond = false;
  const ready = xml.replace(tags, (tag, prefix: string, name: string, attributes: string) => {
    if (name === 'row') {
      row = Number(attribute(attributes, 'r') ?? row + 1);
      column = 0;
      isBeyond ||= !(row >= 1 && row <= mostRows);
      return tag;
    }
    if (name === 'c') {
      const at = attribute(attributes, 'r');
      column = at === undefined ? column + 1 : columnOf(at);
      isBeyond ||= !(column >= 1 && column <= mostColumns) || (at !== undefined && !at.endsWith(String(row)));
      const addressed = at === undefined ? ` r="${lettersOf(column)}${row}"${attributes}` : attributes;
      return `<${prefix}c${typed(addressed)}>`;
    }
    rows = row;
    columns = Math.max(columns, column);
    return tag;
  });
  return isBeyond ? undefined : { xml: ready, marks, rows, columns };

  /** The attributes of a cell, with the type of text where the library is not to read it by itself. */
  function typed(attributes: string): string {
    const type = attribute(attributes, 't') ?? 'n';
    const isPercent = type === 'n' && percents.has(attribute(attributes, 's') ?? '');
    if (isPercent || type === 'd') marks.set(cellKey(row, column), isPercent ? 'percent' : 'date');
    if (!isPercent && type !== 'd' && type !== 'e') return attributes;
    const rest = attributes.replace(/\st\s*=\s*(["']).*?\1/, '');
    return ` t="str"${rest}`;
  }
}

/** The numbers of the cell styles in `xml` (styles.xml) that show percentages, as cells name them. */
export function percentStyles(xml: string): Set<string> {
  const formats = new Set(['9', '10']);
  for (const [, attributes] of xml.matchAll(/<(?:\w+:)?numFmt\s([^>]*)>/g)) {
    const [id, code = ''] = [attribute(attributes!, 'numFmtId'), attribute(attributes!, 'formatCode')];
    // A percent sign in quotes or behind a backslash is only shown, and multiplies nothing.
    const isPercent = code.replace(/&quot;.*?&quot;|"[^"]*"|\\./g, '').includes('%');
    if (id !== undefined && isPercent) formats.add(id);
  }
  const [, cellFormats = ''] = /<(?:\w+:)?cellXfs[\s>](.*?)<\/(?:\w+:)?cellXfs>/s.exec(xml) ?? [];
  const styles = new Set<string>();
  [...cellFormats.matchAll(/<(?:\w+:)?xf\s([^>]*)>/g)].forEach(([, attributes], index) => {
    if (formats.has(attribute(attributes!, 'numFmtId') ?? '')) styles.add(String(index));
  });
  return styles;
}

/** Writes `date1904` the one way that the library knows; LibreOffice writes it as a word. */
export function readyWorkbook(xml: string): string {
  return xml.replace(/(\bdate1904\s*=\s*["'])true(["'])/, '$11$2');
}

type AttributeName = 'r' | 's' | 't' | 'numFmtId' | 'formatCode';

/** Compiled once: they are looked for in every cell. */
const patterns = Object.fromEntries(
  ['r', 's', 't', 'numFmtId', 'formatCode'].map((name) => [
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
