import { access } from 'node:fs/promises';
import path from 'node:path';
import { isOrWasCurrency, lastDayOf, minorRateOf, showCount } from '../money.ts';
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
  find(from: string, to: string, day: string): Rate | undefined;
  /** The lines that can't be used, and why; the first of them one by one. */
  warnings: string[];
}

type Field = (typeof fields)[number];

const warnedOf = 5;

const fields = ['from', 'to', 'day', 'rate', 'source'] as const;

/**
 * Reads `rates.csv` of the workspace (from,to,day,rate,source; one row a pair and day), or no rates when there is
 * none. A rate holds in the direction given only. A line that can't be used costs the others nothing: it is a warning; of
 * two different rates for the same day neither is used. Raises `file-refused` for a file that is no such table.
 */
export async function loadRates(workspace: string, signal: AbortSignal): Promise<Rates> {
  const file = path.join(workspace, 'rates.csv');
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  const table = new RateTable();
  if (exists) {
    await withInputFile(file, signal, async (input) => {
      const csv = await readCsv(input);
      const columns = findColumns(
        csv.header,
        { fields, required: fields, namesAreFixed: true },
        { file: input.shown, line: csv.headerLine },
      );
      for await (const group of csv.groups)
        for (const { line, cells } of group)
          table.add(line, (field) => cells[columns.get(field)!]?.trim() ?? '');
    });
  }
  return table;
}

class RateTable implements Rates {
  readonly #rates = new Map<string, Rate & { line: number }>();
  readonly #twofold = new Set<string>();
  readonly #unusable: string[] = [];

  get warnings(): string[] {
    const more = this.#unusable.length - warnedOf;
    const shown = this.#unusable.slice(0, warnedOf);
    return more > 0 ? [...shown, `rates.csv: ${showCount(more)} more lines can't be used`] : shown;
  }

  find(from: string, to: string, day: string): Rate | undefined {
    const found = this.#rates.get(keyOf(from, to, day));
    return found && { rate: found.rate, minorRate: found.minorRate, source: found.source };
  }

  add(line: number, cell: (field: Field) => string): void {
    const fault = faultOf(cell);
    if (fault) {
      this.#warn(line, fault);
      return;
    }
    const [from, to, day, rate] = [cell('from'), cell('to'), cell('day'), cell('rate')];
    const key = keyOf(from, to, day);
    const before = this.#rates.get(key);
    const pair = `the rate of ${from} to ${to} on ${day}`;
    if (this.#twofold.has(key)) this.#warn(line, `${pair} stands here several times, and differs`);
    else if (!before) {
      const minorRate = minorRateOf(rate, from, to);
      this.#rates.set(key, { rate, minorRate, source: cell('source'), line });
    } else if (before.rate !== rate) {
      this.#rates.delete(key);
      this.#twofold.add(key);
      this.#warn(line, `${pair} differs from line ${before.line}, so neither is used`);
    }
  }

  #warn(line: number, why: string): void {
    this.#unusable.push(`rates.csv:${line} can't be used: ${why}`);
  }
}

/** Where all sales are in their programme's currency. */
export const noRates: Rates = new RateTable();

function keyOf(from: string, to: string, day: string): string {
  return `${from} ${to} ${day}`;
}

function faultOf(cell: (field: Field) => string): string | undefined {
  const day = cell('day');
  for (const code of [cell('from'), cell('to')]) {
    if (!isOrWasCurrency(code)) return `"${code}" is no ISO 4217 currency code`;
    const lastDay = lastDayOf(code);
    if (lastDay !== undefined && day > lastDay) return `${code} was withdrawn after ${lastDay}`;
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return `"${day}" is no day such as 2026-02-28`;
  const rate = cell('rate');
  if (!/^\d{1,12}(\.\d{1,12})?$/.test(rate) || /^[0.]*$/.test(rate))
    return `"${rate}" is no rate above 0 such as 1.0832`;
  if (cell('source') === '') return 'it has no source; say who published it';
  return undefined;
}
