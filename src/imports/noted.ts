import { showCount } from '../money.ts';

/** Rows that share something that is no fault, but that a person should hear of. */
export class Noted {
  rows = 0;
  /** Of the first of them; 0 while there is none. */
  line = 0;

  /** To be told of the rows in the order of the file. */
  add(line: number): void {
    if (this.rows === 0) this.line = line;
    this.rows += 1;
  }
}

/** A warning with the number of its rows and the line of the first, or none. */
export function warningAt(
  { rows, line }: Readonly<Pick<Noted, 'rows' | 'line'>>,
  one: string,
  many: string,
): string[] {
  if (rows === 0) return [];
  return [rows === 1 ? `1 ${one} (line ${line})` : `${showCount(rows)} ${many} (the first in line ${line})`];
}
