import type { SaleField } from '../../config-source.ts';
import { isOrWasCurrency } from '../../money.ts';
import { choices } from '../faults.ts';
import { isMarker } from '../values/currency-signs.ts';
import { amountParts } from '../values/numbers.ts';

const amount = /^[-+]?\d{1,3}(?:([.,'’\u00a0\u202f ])\d{3})*(?:[.,]\d{1,4})?$|^[-+]?\d+(?:[.,]\d{1,4})?$/;
const isoDate = /^\d{4}-\d{2}-\d{2}(?:[T ].*)?$/;
const otherDate = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?: (\d{1,2}:\d{2})(:\d{2})?)?$/;

const alwaysFilled: readonly SaleField[] = ['external_id', 'amount', 'currency', 'occurred_at'];

/** Whether the values of a column look like those of `field`; what each row needs can't be in an empty column. */
export function looksLike(field: SaleField, values: string[]): boolean {
  const given = values.filter(Boolean);
  if (given.length === 0) return !alwaysFilled.includes(field);
  if (choices[field]) return given.every((text) => choices[field]!.includes(text.toLowerCase()));
  if (field === 'amount' || field === 'refunded_total') return given.every((text) => amount.test(bare(text)));
  if (field === 'currency') return given.every((text) => isOrWasCurrency(text.toUpperCase()));
  if (field === 'occurred_at') return given.every((text) => isoDate.test(text) || otherDate.test(text));
  if (field === 'customer_email') return given.some((text) => text.includes('@'));
  return true;
}

/** Amounts that show their decimals: whole numbers may as well be quantities. */
export function hasDecimals(values: string[]): boolean {
  const given = values.filter(Boolean);
  return given.length > 0 && given.every((text) => amount.test(bare(text)) && /[.,]\d{2}$/.test(bare(text)));
}

/** The decimal mark that the amounts of a column prove; undefined where they are whole or prove none. */
export function decimalOf(values: string[]): '.' | ',' | undefined {
  const marks = values.flatMap((text) => /([.,])(?:\d{1,2}|\d{4})$/.exec(bare(text))?.[1] ?? []);
  const proven = new Set(marks);
  return proven.size === 1 ? (marks[0] as '.' | ',') : undefined;
}

/** An amount without the currency beside it. */
function bare(text: string): string {
  const parts = amountParts(text);
  return parts && isMarker(parts.marker) ? parts.number : text;
}

/** The sign or code of a currency that stands beside all of the amounts; empty where there is none, or several. */
export function markerBeside(values: string[]): string {
  const markers = new Set(values.filter(Boolean).map((text) => amountParts(text)?.marker ?? ''));
  const [marker = ''] = markers;
  return markers.size === 1 && isMarker(marker) ? marker : '';
}

/** The pattern of the dates of a column; undefined where nothing tells the day from the month. */
export function dateFormatOf(values: string[]): string | undefined {
  const given = values.filter(Boolean);
  if (given.every((text) => isoDate.test(text))) return 'iso';
  const parts = given.map((text) => otherDate.exec(text));
  const [first] = parts;
  if (!first || !parts.every((one) => one?.[2] === first[2] && one?.[4]?.length === first[4]?.length))
    return undefined;
  const mark = first[2]!;
  const isDayFirst = mark === '.' || parts.some((one) => Number(one?.[1]) > 12);
  const isMonthFirst = parts.some((one) => Number(one?.[3]) > 12);
  if (isDayFirst === isMonthFirst) return undefined;
  const day = isDayFirst ? `DD${mark}MM` : `MM${mark}DD`;
  const time = first[5] === undefined ? '' : first[6] === undefined ? ' HH:mm' : ' HH:mm:ss';
  return `${day}${mark}${first[4]!.length === 4 ? 'YYYY' : 'YY'}${time}`;
}
