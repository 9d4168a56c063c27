import type { PayoutMethod } from '../../db/tables.ts';
import { PayrunError } from '../../errors.ts';
import type { Format, Line } from './format.ts';
import { paypal } from './paypal.ts';
import { report } from './report.ts';

/** Every layout that a batch can leave in. A new one is a file beside this one and a line here. */
export const formats: Format<Line>[] = [
  paypal,
  report, // Comes last: it takes every method that has no format of its own.
];

/** The format in which batches of this method leave. */
export function formatFor(method: PayoutMethod): Format<Line> {
  return formats.find((format) => format.methods.includes(method))!;
}

/** The format of this name. Raises `usage` when there is none. */
export function formatNamed(name: string): Format<Line> {
  const found = formats.find((format) => format.name === name);
  if (found) return found;
  throw new PayrunError('usage', 'There is no payout format of this name.', {
    found: name,
    todo: `Choose one of: ${formats.map((format) => format.name).join(', ')}.`,
  });
}

/** Whether batches of this method leave as a file that its provider takes, or are paid by hand on purpose. */
export function hasFile(method: PayoutMethod): boolean {
  return method === 'manual' || formatFor(method).name !== report.name;
}
