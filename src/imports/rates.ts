import { access } from 'node:fs/promises';
import path from 'node:path';
import { PayrunError } from '../errors.ts';
import { isCurrency, minorRateOf } from '../money.ts';
import { findColumns } from './columns.ts';
import { withInputFile } from './files/open.ts';
import { readCsv } from './files/records.ts';

export interface Rate {
  /** Units of the second currency for one of the first, as decimal text. */
  rate: string;
  /** The same between minor units, as decimal text. */
  minorRate: string;
  source: string;
}

/** The rates of exchange of a workspace. */
export interface Rates {
  isEmpty: boolean;
  find(from: string, to: string, day: string): Rate | undefined;
}

const fields = ['from', 'to', 'day', 'rate', 'source'] as const;

/**
 * Reads `rates.csv` of the workspace (from,to,day,rate,source; one row a pair and day), or no rates when there is
 * none. A rate holds in the direction given only. Raises `file-refused` with the line of the first bad row.
 */
export async function loadRates(workspace: string, signal: AbortSignal): Promise<Rates> {
  const file = path.join(workspace, 'rates.csv');
  const rates = new Map<string, Rate>();
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) {
    await withInputFile(file, signal, async (input) => {
      const csv = await readCsv(input);
      const columns = findColumns(
        csv.header,
        { fields, required: fields, namesAreFixed: true },
        { file: input.shown, line: csv.headerLine },
      );
      for await (const group of csv.groups) {
        for (const record of group) {
          const cell = (field: (typeof fields)[number]) => record.cells[columns.get(field)!]?.trim() ?? '';
          const key = `${cell('from')} ${cell('to')} ${cell('day')}`;
          const fault = faultOf(
            cell('from'),
            cell('to'),
            cell('day'),
            cell('rate'),
            cell('source'),
            rates.has(key),
          );
          if (fault)
            throw new PayrunError('file-refused', fault, {
              place: { file: input.shown, line: record.line },
              todo: 'Correct rates.csv and start again. Nothing was recorded.',
            });
          const rate = cell('rate');
          rates.set(key, {
            rate,
            minorRate: minorRateOf(rate, cell('from'), cell('to')),
            source: cell('source'),
          });
        }
      }
    });
  }
  return { isEmpty: rates.size === 0, find: (from, to, day) => rates.get(`${from} ${to} ${day}`) };
}

function faultOf(
  from: string,
  to: string,
  day: string,
  rate: string,
  source: string,
  isDouble: boolean,
): string | undefined {
  if (!isCurrency(from) || !isCurrency(to))
    return `"${from}" to "${to}" is no pair of ISO 4217 currency codes.`;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return `"${day}" is no day such as 2026-02-28.`;
  if (!/^\d{1,12}(\.\d{1,12})?$/.test(rate) || /^[0.]*$/.test(rate))
    return `"${rate}" is no rate above 0 such as 1.0832.`;
  if (source === '') return 'The rate has no source; say who published it.';
  return isDouble ? `The rate of ${from} to ${to} on ${day} stands here twice.` : undefined;
}
