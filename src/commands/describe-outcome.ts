import type { ToDo } from '../ledger/to-do.ts';
import { showCount } from '../money.ts';
import type { Outcome, StepResult } from '../runs/work.ts';
import { showInstant } from '../time.ts';
import { areFiles, describeFiles } from './describe-files.ts';
import { describeHeld, type Held } from './describe-held.ts';
import { describeToDo } from './describe-to-do.ts';
import {
  type Column,
  countOf,
  type Paint,
  paragraphs,
  section,
  sentences,
  showDecimal,
  table,
  words,
} from './render.ts';

type Fields = Record<string, unknown>;

/** What a run did: its counts, its totals by currency, its report, and what failed. */
export function describeOutcome(
  paint: Paint,
  { counts, totals, report, message }: Pick<Outcome, 'counts' | 'totals' | 'report' | 'message'>,
): string {
  const failure = message === undefined ? '' : paint.bad(message);
  if (isNight(report))
    return paragraphs(describeSteps(paint, report.steps), describeNightsEnd(paint, report), failure);
  return paragraphs(
    describeCounts(paint, counts),
    describeTotals(paint, totals),
    describeReport(paint, report),
    failure,
  );
}

/** What the report of a night ends with: what is held and why, and what a person has to do. Nothing for other runs. */
export function describeNightsEnd(paint: Paint, report: unknown): string {
  if (!isNight(report)) return '';
  const released = report.steps.find(({ job }) => job === 'release-holds')?.outcome?.report;
  return paragraphs(
    describeHeld(paint, (released as { held?: Held[] } | undefined)?.held ?? []),
    describeToDo(paint, report.for_a_person),
  );
}

/** The counts that are not zero, in one line: `12 recorded, 1 rejected`. */
export function countsText(counts: Record<string, number>): string {
  return Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => countOf(count, name))
    .join(', ');
}

function describeCounts(paint: Paint, counts: Outcome['counts']): string {
  const rows = Object.entries(counts).map(([name, count]) => [words(name), showCount(count)]);
  if (rows.length === 0) return '';
  return table(paint, [{ title: '' }, { title: 'count', align: 'right' }], rows);
}

function describeTotals(paint: Paint, totals: Outcome['totals']): string {
  const isZero = (amount: string | undefined) => amount === undefined || /^[0.]+$/.test(amount);
  const names = [...new Set(Object.values(totals).flatMap((amounts) => Object.keys(amounts)))].filter(
    (name) => Object.values(totals).some((amounts) => !isZero(amounts[name])),
  );
  if (names.length === 0) return '';
  const rows = Object.entries(totals).map(([currency, amounts]) => [
    currency,
    ...names.map((name) => (amounts[name] === undefined ? '' : showDecimal(amounts[name], currency))),
  ]);
  const columns = names.map((name): Column => ({ title: words(name), align: 'right' }));
  return table(paint, [{ title: 'total' }, ...columns], rows);
}

/** A report may be anything that a job returns: lists of alike things become tables, the rest names and values. */
function describeReport(paint: Paint, report: unknown): string {
  if (report === undefined || report === null) return '';
  if (Array.isArray(report)) return describeList(paint, report);
  if (!isFields(report)) return String(report);
  // Those held are summed up; the list of them is for programs.
  const { held, held_commissions: _, ...rest } = report as Fields & { held?: Held[] };
  const entries = Object.entries(rest);
  const single = entries.filter(([, value]) => !Array.isArray(value));
  const lists = entries.filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  const filled = lists.filter(([, list]) => list.length > 0);
  return paragraphs(
    sentences(single.map(([name, value]) => `${words(name)}: ${inOneLine(value, paint.zone)}`)),
    ...filled.map(([name, list]) => section(paint, words(name), (inner) => describeList(inner, list))),
    describeHeld(paint, held ?? []),
  );
}

function describeList(paint: Paint, list: unknown[]): string {
  if (!list.every(isFields)) return sentences(list.map((item) => inOneLine(item, paint.zone)));
  if (areFiles(list)) return describeFiles(paint, list);
  if (list.every(isStep)) return describeSteps(paint, list);
  const items = list.map(forPeople);
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  const filled = names.filter((name) => items.some((item) => inOneLine(item[name], paint.zone) !== ''));
  const isNumber = (name: string) =>
    name === 'amount' || items.every((item) => typeof item[name] === 'number');
  const columns = filled.map((name): Column => {
    return isNumber(name) ? { title: words(name), align: 'right' } : { title: words(name) };
  });
  const rows = items.map((item) => filled.map((name) => inOneLine(item[name], paint.zone)));
  return rows.length === 0 ? '' : table(paint, columns, rows);
}

/** The steps of a run, such as a night's: what each did, those that did nothing in one line. */
function describeSteps(paint: Paint, steps: StepResult[]): string {
  let text = '';
  let wasIdle = true;
  for (const step of steps) {
    const { idle, told } = describeStep(paint, step);
    text += `${text === '' ? '' : idle && wasIdle ? '\n' : '\n\n'}${told}`;
    wasIdle = idle;
  }
  return text;
}

function describeStep(paint: Paint, { job, exitCode, outcome, message }: StepResult) {
  const state = { 0: paint.good('done'), 3: paint.warn('done, with something left for a person') }[exitCode];
  const heading = `${job}  ${state ?? paint.bad('failed')}`;
  if (!outcome) return { idle: false, told: section(paint, heading, paint.bad(message ?? '')) };
  const counts = countsText(outcome.counts);
  if (counts === '' && exitCode === 0) {
    const nothing = job === 'audit' ? 'the books balance to the cent' : 'nothing to do';
    return { idle: true, told: `${paint.bold(heading)}  ${nothing}` };
  }
  const body = (inner: Paint) =>
    paragraphs(
      counts,
      describeTotals(inner, outcome.totals),
      describeReport(inner, withoutRepeats(outcome.report)),
      outcome.message === undefined ? '' : inner.bad(outcome.message),
    );
  return { idle: false, told: section(paint, heading, body) };
}

/** Periods stand with their batches, and what is held at the night's end. */
function withoutRepeats(report: unknown): unknown {
  if (!isFields(report)) return report;
  const { periods: _, held: __, ...rest } = report;
  return rest;
}

function isNight(report: unknown): report is { steps: StepResult[]; for_a_person: ToDo[] } {
  return isFields(report) && Array.isArray(report.steps) && Array.isArray(report.for_a_person);
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
function inOneLine(value: unknown, zone: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return showCount(value);
  if (typeof value === 'string') return readable(value, zone);
  if (Array.isArray(value)) return value.map((item) => inOneLine(item, zone)).join(', ');
  if (!isFields(value)) return String(value);
  return Object.entries(value)
    .map(([name, inner]) => `${words(name)} ${inOneLine(inner, zone)}`)
    .join(', ');
}

/** Names out of code in words, and instants on the clock of `zone`; any other text as it is. */
function readable(text: string, zone: string): string {
  if (/^[a-z]+(_[a-z]+)+$/.test(text)) return words(text);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) ? showInstant(new Date(text), zone) : text;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
