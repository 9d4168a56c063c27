import { Noted } from '../noted.ts';
import type { Invisible } from './invisible.ts';

/** What the reading of a file has met so far besides its records. */
export interface Seen extends Invisible {
  /** Below the first record: empty lines, and those of nothing but delimiters. */
  blankLines: number;
  /** Whether the last line ended. */
  endsInLine: boolean;
  /** Whether the file begins with a `sep=` line. */
  hasSeparatorLine: boolean;
  /** Records with text that looks as if it was encoded twice. */
  garbled: Noted;
  /** Of a workbook: the names of hidden sheets that have data and were left out. */
  hiddenSheets: string[];
  /** Of a workbook: rows that are hidden, which are read like others, and whether a filter hides them. */
  hiddenRows: Noted;
  isFiltered: boolean;
  /** Of a workbook: rows with a formula whose result is not stored. */
  formulas: Noted;
}

export function nothingSeen(): Seen {
  return {
    blankLines: 0,
    endsInLine: false,
    hasSeparatorLine: false,
    garbled: new Noted(),
    invisible: 0,
    hiddenSheets: [],
    hiddenRows: new Noted(),
    isFiltered: false,
    formulas: new Noted(),
  };
}
