import { showCount } from '../money.ts';
import type { Outcome, StepResult } from '../runs/work.ts';
import { areFiles, describeFiles } from './describe-files.ts';
import { type Column, type Paint, paragraphs, section, showDecimal, table, words } from './render.ts';

type Fields = Record<string, unknown>;

/** What a run did: its counts, its totals by currency, its report, and what failed. */
export function describeOutcome(
  paint: Paint,
  { counts, totals, report, message }: Pick<Outcome, 'counts' | 'totals' | 'report' | 'message'>,
): string {
  return paragraphs(
    describeCounts(paint, counts),
    describeTotals(paint, totals),
    describeReport(paint, report),
    message === undefined ? '' : paint.bad(message),
  );
}

function describeCounts(paint: Paint, counts: Outcome['counts']): string {
  const rows = Object.entries(counts).map(([name, count]) => [words(name), showCount(count)]);
  if (rows.length === 0) return '';
  return table(paint, [{ title: '' }, { title: 'count', align: 'right' }], rows);
}

function describeTotals(paint: Paint, totals: Outcome['totals']): string {
  const names = [...new Set(Object.values(totals).flatMap((amounts) => Object.keys(amounts)))];
  const rows = Object.entries(totals).map(([currency, amounts]) => [
    currency,
    ...names.map((name) => (amounts[name] === undefined ? '' : showDecimal(amounts[name], currency))),
  ]);
  if (rows.length === 0) return '';
  const columns = names.map((name): Column => ({ title: words(name), align: 'right' }));
  return table(paint, [{ title: 'total' }, ...columns], rows);
}

/** A report may be anything that a job returns: lists of alike things become tables, the rest names and values. */
function describeReport(paint: Paint, report: unknown): string {
  if (report === undefined || report === null) return '';
  if (Array.isArray(report)) return describeList(paint, report);
  if (!isFields(report)) return String(report);
  const entries = Object.entries(report);
  const single = entries.filter(([, value]) => !Array.isArray(value));
  const lists = entries.filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  const filled = lists.filter(([, list]) => list.length > 0);
  return paragraphs(
    single.map(([name, value]) => `${words(name)}: ${inOneLine(value)}`).join('\n'),
    ...filled.map(([name, list]) => section(paint, words(name), describeList(paint, list))),
  );
}

function describeList(paint: Paint, list: unknown[]): string {
  if (!list.every(isFields)) return list.map(inOneLine).join('\n');
  if (areFiles(list)) return describeFiles(paint, list);
  if (list.every(isStep)) return paragraphs(...list.map((step) => describeStep(paint, step)));
  const items = list.map(forPeople);
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const filled = names.filter((name) => items.some((item) => inOneLine(item[name]) !== ''));
  const isNumber = (name: string) =>
    name === 'amount' || items.every((item) => typeof item[name] === 'number');
  const columns = filled.map((name): Column => {
    return isNumber(name) ? { title: words(name), align: 'right' } : { title: words(name) };
  });
  const rows = items.map((item) => filled.map((name) => inOneLine(item[name])));
  return rows.length === 0 ? '' : table(paint, columns, rows);
}

/** A step of a run, such as one of the night's, with what it did. */
function describeStep(paint: Paint, { job, exitCode, outcome, message }: StepResult): string {
  const state = { 0: paint.good('done'), 3: paint.warn('done, with something left for a person') }[exitCode];
  const heading = `${job}  ${state ?? paint.bad('failed')}`;
  const told = outcome ? describeOutcome(paint, outcome) : paint.bad(message ?? '');
  return section(paint, heading, told);
}

function isStep(item: Fields): item is Fields & StepResult {
  return typeof item.job === 'string' && typeof item.exitCode === 'number' && 'outcome' in item;
}

/** An amount with its currency behind it, and no checksums, which nobody compares by eye. */
function forPeople({ sha256: _, ...item }: Fields): Fields {
  const { amount, currency, ...rest } = item;
  if (typeof amount !== 'string' || typeof currency !== 'string') return item;
  return { ...rest, amount: showDecimal(amount, currency) };
}

/** A value in one line; the parts of an object as `name value`. */
function inOneLine(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return showCount(value);
  if (typeof value === 'string') return readable(value);
  if (Array.isArray(value)) return value.map(inOneLine).join(', ');
  if (!isFields(value)) return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${words(name)} ${inOneLine(inner)}`)
    .join(', ');
}

/** Names out of code in words, and instants without their milliseconds; any other text as it is. */
function readable(text: string): string {
  if (/^[a-z]+(_[a-z]+)+$/.test(text)) return words(text);
  return text.replace(/^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}):00\.000Z$/, '$1 $2 UTC');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
