import { type SaleField, saleFields } from '../config-schema.ts';
import { type Columns, findColumns } from './columns.ts';
import type { CsvFile, TableReading } from './records.ts';
import { requiredSaleFields } from './sale-row.ts';
import type { Source } from './source.ts';

/** How a file that one of `sources` reads is taken apart: as the first of them says, under a header that fits any. */
export function tableReading(sources: Source[], shown: string): TableReading {
  const { delimiter, quotes, trim, header_row: headerLine } = sources[0]!.settings;
  const layout = (names: string[]) => {
    try {
      return fitting(sources, { header: names, headerLine: 1 }, shown).columns;
    } catch {
      return undefined;
    }
  };
  return { delimiter, quotes, trim, headerLine, layout };
}

/** The first of `sources` whose columns the file has. Raises `file-refused` for what the first of all lacks. */
export function fitting(
  sources: Source[],
  { header, headerLine }: Pick<CsvFile, 'header' | 'headerLine'>,
  shown: string,
): { source: Source; columns: Columns<SaleField> } {
  let first: unknown;
  for (const source of sources) {
    const { mapping, defaults } = source.settings;
    const layout = {
      fields: saleFields,
      required: requiredSaleFields,
      mapping,
      defaults: { affiliate: '', ...defaults },
    };
    try {
      return { source, columns: findColumns(header, layout, { file: shown, line: headerLine }) };
    } catch (cause) {
      first ??= cause;
    }
  }
  throw first;
}
