import { writeFile } from 'node:fs/promises';
import { PayrunError } from '../../src/errors.ts';
import { withInputFile } from '../../src/imports/files/open.ts';
import { readCsv } from '../../src/imports/files/records.ts';
import { proveStyles } from '../../src/imports/sales/prove.ts';
import { fitting, tableReading } from '../../src/imports/sales/sale-layout.ts';
import { noWarnings, saleReader } from '../../src/imports/sales/sale-row.ts';
import type { Source } from '../../src/imports/source.ts';
import type { Evidence } from '../../src/imports/values/styles.ts';
import type { StagedSale } from '../../src/ledger/stage.ts';

export interface Staged {
  sales: StagedSale[];
  evidence: Evidence[];
  /** Rows of data, and the exact sums of their amounts by currency. */
  rows: number;
  sums: Map<string, { units: bigint; scale: number }>;
  ignored: number;
}

/**
 * What a file of `bytes` at `file` is staged as, without a database; a refusal is told by its code.
 * Anything else that is thrown is a defect, and thrown on.
 */
export async function stagedOf(
  file: string,
  bytes: Buffer | string,
  settings: Partial<Source['settings']> = {},
): Promise<Staged | 'file-refused'> {
  await writeFile(file, bytes);
  try {
    return await staged(file, { id_prefix: '', allow_empty: false, ...settings });
  } catch (cause) {
    if (cause instanceof PayrunError && cause.code === 'file-refused') return 'file-refused';
    throw cause;
  }
}

async function staged(file: string, settings: Source['settings']): Promise<Staged> {
  return withInputFile(file, new AbortController().signal, async (given) => {
    const input = given.as(settings.encoding);
    const sources = [{ id: undefined, ref: undefined, settings, programId: '', currency: 'USD' }];
    const csv = await readCsv(input, tableReading(sources, file));
    const [{ columns }] = fitting(sources, csv, file);
    const reader = saleReader(
      {
        shown: file,
        columns,
        header: csv.header,
        settings,
        program: { currency: 'USD', timezone: 'Europe/Berlin' },
        now: new Date('2100-01-01T00:00:00Z'),
        rates: { warnings: [], find: () => undefined },
      },
      noWarnings(),
    );
    const sales: StagedSale[] = [];
    for await (const group of csv.groups) {
      for (const record of group) {
        let sale = reader.read(record);
        if (!sale) {
          await proveStyles(
            await readCsv(input, tableReading(sources, file)),
            reader.figures.styled,
            async () => [],
          );
          sale = reader.read(record)!;
        }
        sales.push(sale);
      }
    }
    const { controls, evidence } = reader.figures;
    return { sales, evidence, rows: controls.rows, sums: new Map(controls.sums), ignored: csv.ignored() };
  });
}
