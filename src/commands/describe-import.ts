import { describeError, type PayrunError } from '../errors.ts';
import type { ImportOutcome, Kind } from '../imports/import.ts';
import { showCount } from '../money.ts';
import { localDay } from '../time.ts';
import { describePreview } from './describe-preview.ts';
import { type Paint, pairs, paragraphs, plural, section, sentences, showDecimal, table } from './render.ts';

/** What became of one file. */
export type Imported =
  | { run: string | null; kind: Kind; dryRun: boolean; outcome: ImportOutcome }
  | { run: null; kind: Kind; dryRun: boolean; refused: PayrunError; file: string };

/** The ways in which rows end, in the order in which people are told. */
export const outcomes = ['recorded', 'updated', 'duplicates', 'conflicts', 'rejected', 'parked', 'ignored'];

/** One file's import in words: how its rows ended, the money in them, and what is left for a person. */
export function describeImport(paint: Paint, one: Imported): string {
  if ('refused' in one) return paint.bad(describeError(one.refused));
  const { outcome, run, dryRun } = one;
  const { report } = outcome;
  const already = report.already_imported;
  if (already) {
    return paragraphs(
      `${paint.bold(report.file)}  ${paint.warn('already imported')} on ${localDay(new Date(already.at), paint.zone)} as ${already.import}; nothing was done.`,
      list(paint, 'Worth knowing', report.warnings),
      'Import it with --again if you mean to; its rows are then duplicates.',
    );
  }
  const { rejects_of: first, read_again: again } = report;
  const id = dryRun ? paint.warn('dry run: nothing was kept') : paint.dim(`${report.import}  ${run}`);
  return paragraphs(
    sentences(
      [`${paint.bold(report.file)}  ${id}`, paint.dim(describeLayout(report.layout))].filter(Boolean),
    ),
    first === null ? '' : `These are rejects of ${first} that came back.`,
    again
      ? `Imported before, on ${again.at.slice(0, 10)} as ${again.import}; read again, because ${again.why}.`
      : '',
    describePreview(paint, report.preview),
    describeCounts(paint, outcome.counts),
    describeMoney(paint, outcome.totals),
    list(paint, 'Changed', changesOf(one)),
    list(paint, 'Worth knowing', report.warnings),
    describeConflicts(paint, report.conflict_rows),
    toDecide(outcome, dryRun),
    describeParked(paint, report.parked_groups),
    describeRejects(paint, report, outcome.counts.rejected ?? 0, dryRun),
    report.plan === null ? '' : `To do exactly this, import it with ${paint.bold(`--plan ${report.plan}`)}.`,
  );
}

const logNames = {
  affonso_events: 'conversions, leads, trials and milestones',
  stripe_events: 'Stripe’s events',
};

/** What was changed; of people one sentence each, of which a report has the first. */
function changesOf({ kind, outcome: { counts, report } }: Exclude<Imported, { refused: unknown }>): string[] {
  const isOfPeople = kind === 'affiliates' || kind === 'referrals';
  const more = isOfPeople ? (counts.updated ?? 0) - report.changes.length : 0;
  return more > 0 ? [...report.changes, `and ${showCount(more)} more`] : report.changes;
}

function describeLayout(layout: ImportOutcome['report']['layout']): string {
  if (!layout) return '';
  const { source, preset, log, why } = layout;
  if (log !== null) {
    const settings = source === null ? '' : ` with the source "${source}"`;
    return `Read as a log of ${logNames[log]}${settings}, because ${why}.`;
  }
  const known = preset === null ? '' : `as the preset ${preset}`;
  const own = source === null ? 'in Payrun’s own layout' : `as the source "${source}" says`;
  return `Read ${known || own}, because ${why}.`;
}

/** How rows ended, the counts that are not zero, and the rows read. */
export function describeCounts(paint: Paint, counts: Record<string, number>): string {
  const rows = outcomes
    .filter((name) => (counts[name] ?? 0) > 0)
    .map((name): [string, string] => [name, showCount(counts[name]!)]);
  const longest = showCount(counts.rows ?? 0).length;
  return pairs(
    paint,
    [...rows, ['rows read', showCount(counts.rows ?? 0)] as [string, string]].map(([name, count]) => [
      name,
      count.padStart(longest),
    ]),
  );
}

/**
 * Sales and commissions by currency; nothing where there are none. Where there are several, a zero is left out: what
 * sales in euros earn may be in dollars.
 */
export function describeMoney(paint: Paint, totals: ImportOutcome['totals']): string {
  const isOne = Object.keys(totals).length === 1;
  const shownSum = (sum = '0', currency: string) =>
    isOne || /[1-9]/.test(sum) ? showDecimal(sum, currency) : '';
  const rows = Object.entries(totals).map(([currency, { sales, commissions }]) => [
    shownSum(sales, currency),
    shownSum(commissions, currency),
  ]);
  if (rows.length === 0) return '';
  return table(
    paint,
    [
      { title: 'sales', align: 'right' },
      { title: 'commissions', align: 'right' },
    ],
    rows,
  );
}

/** The conflicts of an import, field by field; nothing where there are none. */
export function describeConflicts(paint: Paint, conflicts: ImportOutcome['report']['conflict_rows']): string {
  if (conflicts.length === 0) return '';
  const rows = conflicts.flatMap(({ line, external_id, difference }) =>
    Object.entries(difference).map(([field, { ours, theirs }]) => [
      showCount(line),
      external_id,
      field,
      shown(ours),
      shown(theirs),
    ]),
  );
  const columns = [
    { title: 'line', align: 'right' as const },
    { title: 'external id' },
    { title: 'field' },
    { title: 'recorded' },
    { title: 'in this file' },
  ];
  return section(
    paint,
    paint.warn('Conflicts: known ids with other facts; what was recorded stays'),
    (inner) => table(inner, columns, rows),
  );
}

function describeParked(paint: Paint, groups: ImportOutcome['report']['parked_groups']): string {
  if (groups.length === 0) return '';
  const count = groups.reduce((sum, group) => sum + group.rows, 0);
  const rows = groups.map((group) => [showCount(group.rows), showCount(group.first_line), group.message]);
  const columns = [
    { title: 'rows', align: 'right' as const },
    { title: 'first line', align: 'right' as const },
    { title: 'what they wait for' },
  ];
  return section(paint, `Parked: ${plural(count, 'row')}, tried again every night`, (inner) =>
    table(inner, columns, rows),
  );
}

/** Where to decide about the rows in conflict; a report does not list all of many. */
function toDecide({ counts, report }: ImportOutcome, dryRun: boolean): string {
  const unlisted = (counts.conflicts ?? 0) - report.conflict_rows.length;
  if (unlisted > 0)
    return `${plural(unlisted, 'more row')} in conflict; payrun conflicts list tells of all that are recorded.`;
  const isOpen = !dryRun && report.conflict_rows.length > 0;
  return isOpen ? 'Decide which is right: payrun conflicts list.' : '';
}

/** The rejected rows of an import, `count` in all, by what is wrong, and where they are; nothing where there are none. */
export function describeRejects(
  paint: Paint,
  report: Pick<ImportOutcome['report'], 'rejected_groups'> & { rejects_file?: string | null },
  count: number,
  dryRun: boolean,
): string {
  if (report.rejected_groups.length === 0) return '';
  const rows = report.rejected_groups.map((group) => [
    showCount(group.rows),
    showCount(group.first_line),
    group.field,
    group.message,
  ]);
  const columns = [
    { title: 'rows', align: 'right' as const },
    { title: 'first line', align: 'right' as const },
    { title: 'field' },
    { title: 'what is wrong with the first' },
  ];
  const unlisted = count - report.rejected_groups.reduce((sum, group) => sum + group.rows, 0);
  return paragraphs(
    section(paint, paint.warn(`Rejected: ${plural(count, 'row')} to correct`), (inner) =>
      table(inner, columns, rows),
    ),
    unlisted > 0 ? `${plural(unlisted, 'more row')} with other faults.` : '',
    dryRun
      ? ''
      : `They are in ${paint.bold(report.rejects_file ?? '')}: correct them there and import that file.`,
  );
}

/** Sentences under a heading; nothing where there are none. */
export function list(paint: Paint, heading: string, lines: string[]): string {
  return lines.length === 0 ? '' : section(paint, heading, sentences(lines));
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value ?? '');
}
