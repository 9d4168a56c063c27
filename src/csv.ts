import { stringify } from 'csv-stringify/sync';

/** CSV text of `rows`, each ended by `newline`. Rows without anything to quote, nearly all, need no csv-stringify. */
export function csv(rows: string[][], newline: '\n' | '\r\n'): string {
  let text = '';
  for (const row of rows) {
    const line = row.join(',');
    text += isPlain(line, row.length)
      ? line + newline
      : stringify([row], { record_delimiter: newline, quoted_match: /[\r\n]/ });
  }
  return text;
}

const quote = 0x22;
const comma = 0x2c;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Whether the cells joined into `line` can be told apart by its commas alone. A loop, being faster than a pattern. */
function isPlain(line: string, cells: number): boolean {
  let commas = 0;
  for (let i = 0; i < line.length; i += 1) {
    const code = line.charCodeAt(i);
    if (code === comma) commas += 1;
    else if (code === quote || code === lineFeed || code === carriageReturn) return false;
  }
  return commas === cells - 1;
}
