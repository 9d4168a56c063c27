import type { SaleField } from '../../config-source.ts';
import type { Columns } from '../columns.ts';
import type { CsvRecord } from '../files/records.ts';
import type { Source } from '../source.ts';

/**
 * The records of a workbook as its rejects file has them: typed amounts with the decimal mark of the source and typed
 * dates in its format, since a CSV can't tell them from text. A date that would lose its time that way stays in ISO form.
 */
export async function* asText(
  groups: AsyncIterable<CsvRecord[]>,
  columns: Columns<SaleField>,
  { decimal, date_format: format }: Pick<Source['settings'], 'decimal' | 'date_format'>,
): AsyncGenerator<CsvRecord[]> {
  const amounts = [columns.get('amount'), columns.get('expense'), columns.get('refunded_total')];
  const date = columns.get('occurred_at');
  for await (const group of groups) {
    for (const { cells, typed } of group) {
      for (const [index, cell] of cells.entries()) {
        if (!typed?.[index]) continue;
        if (amounts.includes(index)) cells[index] = cell.replace('.', decimal ?? '.');
        else if (index === date && format?.includes('DD')) cells[index] = inPattern(cell, format);
      }
    }
    yield group;
  }
}

/** An ISO date and time in a pattern of YYYY YY MM DD HH mm ss, or as it is where the pattern has no place for it all. */
function inPattern(text: string, pattern: string): string {
  const found = /^(\d\d(\d\d))-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d))?$/.exec(text);
  if (!found) return text;
  const [, YYYY, YY, MM, DD, HH = '00', mm = '00', ss = '00'] = found;
  const values: Record<string, string> = { YYYY: YYYY!, YY: YY!, MM: MM!, DD: DD!, HH, mm, ss };
  const lost = ['HH', 'mm', 'ss'].some((token) => !pattern.includes(token) && values[token] !== '00');
  return lost ? text : pattern.replace(/YYYY|YY|MM|DD|HH|mm|ss/g, (token) => values[token]!);
}
