import type { CsvRecord } from '../files/records.ts';
import { type DecimalMark, provenMark } from '../values/numbers.ts';

/** How text is written in those columns that a workbook has numbers and dates in. */
export interface TextStyle {
  /** By the index of a column of amounts; undefined where neither a setting nor a text of the column says it. */
  decimals: ReadonlyMap<number, DecimalMark | undefined>;
  /** The index of the column of dates, and the format that the source states. */
  dates: { at: number | undefined; format: string | undefined };
}

/**
 * The records of a workbook as its rejects file has them: typed amounts with the decimal mark of their column and typed
 * dates in the format of the source, since a CSV can't tell them from text. A date that would lose its time that way
 * stays in ISO form.
 */
export async function* asText(
  groups: AsyncIterable<CsvRecord[]>,
  { decimals, dates }: TextStyle,
): AsyncGenerator<CsvRecord[]> {
  for await (const group of groups) {
    for (const { cells, typed } of group) {
      for (const [index, cell] of cells.entries()) {
        if (!typed?.[index]) continue;
        if (decimals.has(index)) cells[index] = withMark(cell, decimals.get(index));
        else if (index === dates.at) cells[index] = inFormat(cell, dates.format);
      }
    }
    yield group;
  }
}

/** Where no mark is known, `1.234` would be two numbers, and `1.2340` is one. A currency may stand behind the number. */
function withMark(text: string, mark: DecimalMark | undefined): string {
  const [, number = '', currency = ''] = /^(-?[\d.]*)(.*)$/su.exec(text)!;
  if (mark !== undefined) return number.replace('.', mark) + currency;
  return (provenMark(number.replace('-', '')) === 'ambiguous' ? `${number}0` : number) + currency;
}

/** As it is where the format has no place for its time, or for its century. */
function inFormat(text: string, format: string | undefined): string {
  const found = /^(\d\d(\d\d))-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d))?$/.exec(text);
  if (!found || format === undefined || format === 'iso') return text;
  if (format === 'excel_serial') return serialOf(text);
  const [, YYYY, YY, MM, DD, HH = '00', mm = '00', ss = '00'] = found;
  const [hh, A] = [String(Number(HH) % 12 || 12).padStart(2, '0'), Number(HH) < 12 ? 'AM' : 'PM'];
  const values: Record<string, string> = { YYYY: YYYY!, YY: YY!, MM: MM!, DD: DD!, HH, mm, ss, A };
  values.hh = format.includes('A') ? hh : HH;
  const needed = [
    [/HH|hh/, HH !== '00'],
    [/mm/, mm !== '00'],
    [/ss/, ss !== '00'],
    [/YYYY/, !YYYY!.startsWith('20')],
  ] as const;
  if (needed.some(([part, isNeeded]) => isNeeded && !part.test(format))) return text;
  return format.replace(/YYYY|YY|MM|DD|HH|hh|mm|ss|A/g, (part) => values[part]!);
}

/** The days since 30 December 1899 that a spreadsheet counts, the time as a fraction that is exact to the second. */
function serialOf(text: string): string {
  const [day, time] = text.split('T');
  const days = Date.parse(`${day}T00:00:00Z`) / 86_400_000 + 25_569;
  if (time === undefined) return String(days);
  const billionths = Math.round((Date.parse(`1970-01-01T${time}Z`) / 86_400_000) * 1e9);
  return `${days}.${String(billionths).padStart(9, '0')}`;
}
