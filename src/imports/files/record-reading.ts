import { finished } from 'node:stream/promises';
import { type CsvError, type Options, type Parser, parse } from 'csv-parse';
import { parse as parseAtOnce } from 'csv-parse/sync';
import { separatorLine } from './delimiter.ts';
import { FormulaText } from './formula-text.ts';
import { areGarbled, mayBeGarbled } from './garbled.ts';
import { cellTooLong, type Limited } from './limits.ts';
import type { Seen } from './seen.ts';

/** One record of a table: its number from 1 after the header, the physical line it starts on, its cells. */
export interface CsvRecord {
  n: number;
  line: number;
  cells: string[];
  /** Of a workbook: which cells are no text there, and so have a point for a decimal mark and dates in ISO form. */
  typed?: boolean[];
  /** Whether it is the last row, totals and footers left out. */
  isLast?: boolean;
  /** The cell, from 0, with a quote that should not stand there; it was taken as text. */
  stray?: number;
}

/** How the cells of a CSV file are written. */
export interface CsvStyle {
  delimiter: string;
  /** `relaxed` takes quotes that should not stand where they do as text; else they spoil their row. */
  quotes?: 'strict' | 'relaxed' | undefined;
  /** Whether spaces around a cell, before its quote too, are left out. */
  trim?: boolean | undefined;
}

/**
 * Feeds a parser. Nearly all files are well-formed, and are read at full speed; at the first quote that is not, the
 * reading starts again from its record, with the slower steps that such a file needs.
 */
export class RecordReading {
  /** Where the next record starts. */
  line = 1;
  readonly #file: Limited;
  readonly #style: CsvStyle;
  readonly #seen: Seen;
  #group: CsvRecord[] = [];
  #isBelowFirst = false;
  #looksForGarbled = false;
  /** The pieces since the last record's end, the place of the first of them, and that end, in the parser's bytes. */
  #held: Buffer[] = [];
  #heldFrom = 0;
  #recordEnd = 0;
  #formulas: FormulaText | undefined;
  #judgesRows = false;
  #parser: Parser;

  constructor(file: Limited, style: CsvStyle, seen: Seen) {
    this.#file = file;
    this.#style = style;
    this.#seen = seen;
    if (style.quotes === 'relaxed') this.#formulas = new FormulaText(style.delimiter);
    this.#parser = this.#open();
  }

  async write(bytes: Buffer): Promise<void> {
    this.#looksForGarbled ||= mayBeGarbled(bytes);
    await this.#feed(this.#formulas?.take(bytes) ?? bytes);
  }

  async end(): Promise<void> {
    const rest = this.#formulas?.rest();
    if (rest && rest.length > 0) await this.#feed(rest);
    try {
      await finished(this.#parser.end());
    } catch (cause) {
      await this.#startAgain(cause);
      await this.end();
    }
  }

  take(): CsvRecord[] {
    const ready = this.#group;
    this.#group = [];
    if (this.#looksForGarbled) this.#countGarbled(ready);
    return ready;
  }

  close(): void {
    this.#parser.destroy();
  }

  async #feed(bytes: Buffer): Promise<void> {
    this.#held.push(bytes);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#parser.write(bytes, (fault) => (fault ? reject(fault) : resolve()));
      });
    } catch (cause) {
      await this.#startAgain(cause);
      return;
    }
    while (this.#held.length > 1 && this.#heldFrom + this.#held[0]!.length <= this.#recordEnd)
      this.#heldFrom += this.#held.shift()!.length;
  }

  async #startAgain(cause: unknown): Promise<void> {
    const { code, field } = cause as CsvError;
    let rest: Buffer = Buffer.concat(this.#held).subarray(this.#recordEnd - this.#heldFrom);
    if (code === 'INVALID_OPENING_QUOTE' && field === '=' && !this.#formulas) {
      this.#formulas = new FormulaText(this.#style.delimiter);
      rest = this.#formulas.take(rest);
    } else if (isStrayQuote(cause) && !this.#judgesRows) this.#judgesRows = true;
    else throw cause;
    this.#parser.destroy();
    this.#parser = this.#open();
    this.#held = [];
    this.#heldFrom = 0;
    this.#recordEnd = 0;
    await this.#feed(rest);
  }

  #open(): Parser {
    const parser = parse({
      ...this.#options(),
      relax_quotes: this.#judgesRows || this.#style.quotes === 'relaxed',
      raw: this.#judgesRows,
      // Takes the records out of the parser's hands: handing them on one by one costs as much as parsing them.
      on_record: (record: string[] | { record: string[]; raw: string }, { bytes }): null => {
        if (Array.isArray(record)) this.#add(record);
        else this.#add(record.record, this.#strayIn(record.raw));
        this.#recordEnd = bytes;
        return null;
      },
    });
    parser.on('error', () => {}).resume();
    return parser;
  }

  #options(): Options {
    return {
      bom: true,
      delimiter: this.#style.delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      max_record_size: this.#file.limits.record_bytes,
      trim: this.#style.trim ?? false,
    };
  }

  #add(cells: string[], stray?: number): void {
    const isBlank = cells[0]!.trim() === '' && cells.every((cell) => cell.trim() === '');
    const isSeparator = !this.#isBelowFirst && separatorLine.test(cells.join(this.#style.delimiter));
    if (isBlank && this.#isBelowFirst) this.#seen.blankLines += 1;
    if (isSeparator) this.#seen.hasSeparatorLine = true;
    if (!isBlank && !isSeparator) {
      const record: CsvRecord = { n: 0, line: this.line, cells };
      if (stray !== undefined) record.stray = stray;
      this.#group.push(record);
      this.#isBelowFirst = true;
    }
    this.line += 1 + this.#lineBreaksIn(cells);
  }

  /**
   * The cell of the record in which a quote stands where it should not. Where a quoted cell goes on behind its closing
   * quote and has line breaks, it is likelier that a quote is never closed and other rows were swallowed: that is thrown.
   */
  #strayIn(raw: string): number | undefined {
    if (!raw.includes('"')) return undefined;
    try {
      parseAtOnce(raw, this.#options());
      return undefined;
    } catch (cause) {
      const { code, column } = cause as CsvError;
      if (!isStrayQuote(cause) || (code !== 'INVALID_OPENING_QUOTE' && /[\r\n]/.test(raw.trimEnd())))
        throw cause;
      return Number(column);
    }
  }

  #lineBreaksIn(cells: string[]): number {
    const { field_length: longest } = this.#file.limits;
    let breaks = 0;
    for (const cell of cells) {
      if (cell.length > longest) throw cellTooLong(this.#file, this.line, cells.indexOf(cell) + 1);
      if (cell.includes('\n') || cell.includes('\r')) breaks += cell.match(/\r\n|\n|\r/g)!.length;
    }
    return breaks;
  }

  #countGarbled(records: CsvRecord[]): void {
    const { garbled } = this.#seen;
    for (const { cells, line } of records) {
      if (areGarbled(cells)) garbled.add(line);
    }
  }
}

function isStrayQuote(cause: unknown): boolean {
  return ['INVALID_OPENING_QUOTE', 'CSV_INVALID_CLOSING_QUOTE'].includes((cause as CsvError).code);
}
