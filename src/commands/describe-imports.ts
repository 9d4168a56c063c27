import { showId } from '../ids.ts';
import { type ImportHistory, type ImportRecord, viewImport } from '../imports/import.ts';
import { showCount } from '../money.ts';
import { showInstant } from '../time.ts';
import {
  describeConflicts,
  describeCounts,
  describeMoney,
  describeRejects,
  list,
  outcomes,
} from './describe-import.ts';
import { countOf, type Paint, pairs, paragraphs, plural, section, sentences } from './render.ts';

/** The imports of a list, four lines at most each. */
export function describeImportList(paint: Paint, imports: ImportRecord[]): string {
  if (imports.length === 0) return 'Nothing was imported yet; "payrun import sales <file>" does it.';
  return imports.map((one) => describeRecord(paint, one)).join('\n');
}

function describeRecord(paint: Paint, one: ImportRecord): string {
  return sentences([
    `${showId('import', one.id)}  ${one.kind.padEnd(10)}  ${paint.bold(one.file)}`,
    `  ${plural(one.rows, 'row')}: ${countsText(one.counts)}`,
    paint.dim(`  ${showInstant(one.finished_at, paint.zone)}, by ${runText(one)}`),
    ...(one.rejects_of === null ? [] : [`  rejects of ${showId('import', one.rejects_of)}`]),
    ...(one.undone_at ? [paint.warn(`  undone ${undoneText(one, one.undone_at, paint.zone)}`)] : []),
  ]);
}

/** Everything about one import. */
export function describeImportHistory(paint: Paint, history: ImportHistory): string {
  const { import: one, conflicts, hasRejectsFile } = history;
  const report = one.report ?? { warnings: [], changes: [], rejected_groups: [] };
  const rejected = one.counts.rejected ?? 0;
  return paragraphs(
    sentences([`${paint.bold(one.file)}  ${paint.dim(showId('import', one.id))}`]),
    pairs(paint, [
      ['kind', one.kind],
      ['source', one.source ?? undefined],
      ['imported', showInstant(one.finished_at, paint.zone)],
      ['by', runText(one)],
      ['sha256', one.sha256],
      [
        'undone',
        one.undone_at ? `${undoneText(one, one.undone_at, paint.zone)}: ${one.undone_reason}` : undefined,
      ],
    ]),
    describeCounts(paint, { rows: one.rows, ...one.counts }),
    describeMoney(paint, one.totals),
    list(paint, 'Changed', report.changes),
    list(paint, 'Worth knowing', report.warnings),
    describeConflicts(paint, conflicts.first),
    conflictsText(one, conflicts),
    // Without the file's place: what follows says where it is, or that it is gone.
    describeRejects(paint, report, rejected, true),
    rejected === 0 ? '' : rejectsText(paint, one, hasRejectsFile),
    linksText(paint, history),
  );
}

function conflictsText(one: ImportRecord, { all, open, first }: ImportHistory['conflicts']): string {
  const counted = one.counts.conflicts ?? 0;
  const lines = [
    all > first.length ? `These are the first ${showCount(first.length)} of ${showCount(all)}.` : '',
    all === 0 ? '' : `${plural(open, 'conflict')} of ${showCount(all)} to be decided: payrun conflicts list.`,
    counted > all ? `${plural(counted - all, 'row')} had come before and were in conflict already.` : '',
  ];
  return lines.filter(Boolean).join('\n');
}

function rejectsText(paint: Paint, one: ImportRecord, isThere: boolean): string {
  const file = paint.bold(one.rejects_file ?? '');
  return isThere
    ? `They are in ${file}: correct them there and import that file.`
    : `They were in ${file}, which is no longer there; import the file once more with --again to get them.`;
}

function linksText(paint: Paint, { before, after }: ImportHistory): string {
  const lines = [
    ...before.map((one) => `it is rejects of  ${linkText(one)}`),
    ...after.map((one) => `its rejects came back as  ${linkText(one)}`),
  ];
  return lines.length === 0 ? '' : section(paint, 'Hangs together with', sentences(lines));
}

function linkText(one: ImportRecord): string {
  return `${showId('import', one.id)}  ${one.file}  (${countsText(one.counts)})`;
}

/** The same for programs. */
export function historyData(history: ImportHistory) {
  const { import: one, before, after, conflicts, hasRejectsFile } = history;
  return {
    ...viewImport(one),
    sha256: one.sha256,
    rejects_file_exists: hasRejectsFile,
    warnings: one.report?.warnings ?? null,
    changes: one.report?.changes ?? null,
    rejected_groups: one.report?.rejected_groups ?? null,
    conflicts: { first_seen: conflicts.all, open: conflicts.open, rows: conflicts.first },
    came_from: before.map(viewImport),
    came_back_as: after.map(viewImport),
  };
}

function undoneText(one: ImportRecord, at: Date, zone: string): string {
  return `${showInstant(at, zone)}, by ${one.undone_by}`;
}

function runText(one: ImportRecord): string {
  return `${one.job ?? 'an unknown job'} (${showId('run', one.run_id)})`;
}

/** The counts that are not zero, in one line: `12 recorded, 1 conflict`. */
function countsText(counts: Record<string, number>): string {
  const parts = outcomes.flatMap((name) => {
    const count = counts[name] ?? 0;
    return count === 0 ? [] : [countOf(count, name)];
  });
  return parts.join(', ') || 'nothing';
}
