import { PayrunError } from '../errors.ts';
import { showCount } from '../money.ts';
import type { Controls } from './sales/controls.ts';
import { difference, type ExactNumber, readNumber, showSum } from './values/numbers.ts';

/** What a person knows of a file from elsewhere: how many rows it has, and what their amounts come to. */
export interface Expected {
  rows?: number | undefined;
  /** By currency. */
  totals: ReadonlyMap<string, ExactNumber>;
}

/**
 * Reads control totals as they are given on a command line: a count, and `EUR=18230.55` for each currency, with a point
 * before the decimals. Undefined when there are none. Raises `usage`.
 */
export function readExpected(rows: string | undefined, totals: string[]): Expected | undefined {
  if (rows === undefined && totals.length === 0) return undefined;
  if (rows !== undefined && !/^\d{1,9}$/.test(rows)) {
    throw new PayrunError('usage', 'This is no number of rows.', {
      place: { field: '--expect-rows' },
      found: rows,
    });
  }
  const sums = new Map<string, ExactNumber>();
  for (const text of totals) {
    const [, currency, sign, amount] = /^([A-Za-z]{3})=(-?)(.+)$/.exec(text) ?? [];
    const sum = amount === undefined ? undefined : readNumber(amount, '.');
    if (!sum || sums.has(currency!.toUpperCase())) {
      throw new PayrunError('usage', 'This is no control total, or the second one of its currency.', {
        place: { field: '--expect-total' },
        found: text,
        todo: 'Write the currency and the sum of its amounts, such as EUR=18230.55.',
      });
    }
    sums.set(currency!.toUpperCase(), sign ? { ...sum, units: -sum.units } : sum);
  }
  return { rows: rows === undefined ? undefined : Number(rows), totals: sums };
}

/**
 * Raises `file-refused`, saying by how much, where the rows of a file are not as many as expected, or come to something
 * else. Every data row, or line of an event log, counts, whatever becomes of it.
 */
export function assertExpected(expected: Expected, controls: Controls, shown: string): void {
  const faults: string[] = [];
  const { rows } = expected;
  if (rows !== undefined && rows !== controls.rows) {
    const apart = Math.abs(controls.rows - rows);
    faults.push(
      `${showCount(controls.rows)} ${controls.rows === 1 ? 'row' : 'rows'}, which is ${showCount(apart)} ${controls.rows < rows ? 'fewer' : 'more'} than the ${showCount(rows)} expected`,
    );
  }
  const ofRows = faults.length;
  for (const [currency, wanted] of expected.totals) {
    const sum = controls.sums.get(currency) ?? { units: 0n, scale: 0 };
    const { units, scale } = difference(sum, wanted);
    if (units === 0n) continue;
    const show = (one: ExactNumber) => showSum(one, currency);
    const apart = show({ units: units < 0n ? -units : units, scale });
    faults.push(
      `amounts of ${show(sum)} ${currency}, which is ${apart} ${units < 0n ? 'less' : 'more'} than the ${show(wanted)} expected`,
    );
  }
  if (faults.length === 0) return;
  const unread =
    controls.unreadable === 0 || faults.length === ofRows
      ? ''
      : ` Of ${showCount(controls.unreadable)} of its rows no amount can be read.`;
  throw new PayrunError('file-refused', `The file has ${faults.join(', and ')}.${unread}`, {
    place: { file: shown },
    todo: 'Find out which is right: the file may lack rows, or the control total may be of another one. Nothing of the file was recorded.',
  });
}
