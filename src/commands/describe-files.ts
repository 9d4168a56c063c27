import type { InboxFile } from '../imports/import.ts';
import { showCount } from '../money.ts';
import { outcomes } from './describe-import.ts';
import { type Column, type Paint, paragraphs, sentences, table } from './render.ts';

/**
 * The files that a run took out of the inbox, a line each: how it and its rows ended, and where its rejects are. Then
 * why files were refused, or stay. A file's whole report is left to `payrun imports show`.
 */
export function describeFiles(paint: Paint, files: InboxFile[]): string {
  const refused = files.filter(({ error }) => error !== null);
  const stay = files.filter(({ left }) => left);
  const hasMore = files.some(({ report, counts }) => {
    const left = (counts.rejected ?? 0) + (counts.conflicts ?? 0);
    return report !== null && (left > 0 || report.warnings.length > 0);
  });
  return paragraphs(
    fileTable(paint, files),
    sentences(refused.map(({ file, error }) => paint.bad(`${shortName(file)} was refused: ${error}`))),
    sentences(stay.map(({ file, left }) => paint.bad(`${shortName(file)} stays in the inbox: ${left}`))),
    hasMore
      ? 'What was rejected, in conflict or worth knowing is told by "payrun imports show"; "payrun imports list" has the ids.'
      : '',
  );
}

/** Whether a list in a report is one of files out of the inbox, also when it was read back from the history. */
export function areFiles(list: unknown[]): list is InboxFile[] {
  if (list.length === 0) return false;
  return list.every((item) => {
    if (typeof item !== 'object' || item === null) return false;
    return 'moved_to' in item && 'counts' in item && 'report' in item && 'error' in item;
  });
}

function fileTable(paint: Paint, files: InboxFile[]): string {
  const sum = (name: string) => files.reduce((total, { counts }) => total + (counts[name] ?? 0), 0);
  const names = ['rows', 'recorded', ...outcomes.slice(1).filter((name) => sum(name) > 0)];
  const columns: Column[] = [
    { title: 'file' },
    { title: 'outcome' },
    ...names.map((title): Column => ({ title, align: 'right' })),
    { title: files.some((file) => rejectsOf(file) !== '') ? 'rejects' : '' },
  ];
  const rows = files.map((one) => [
    shortName(one.file),
    outcomeOf(paint, one),
    ...names.map((name) => (one.counts[name] ? showCount(one.counts[name]) : '')),
    rejectsOf(one),
  ]);
  if (files.length > 1)
    rows.push([paint.bold('all files'), '', ...names.map((name) => showCount(sum(name))), '']);
  return table(paint, columns, rows);
}

function outcomeOf(paint: Paint, { error, left, report }: InboxFile): string {
  if (error !== null) return paint.bad('refused');
  if (left && report === null) return paint.bad('not imported');
  return report?.already_imported ? paint.dim('already imported') : 'imported';
}

function rejectsOf({ error, moved_to: movedTo, report }: InboxFile): string {
  return (error === null ? report?.rejects_file : movedTo) ?? '';
}

/** From the inbox, whose name says nothing here. */
function shortName(file: string): string {
  return file.replace(/^inbox\//, '');
}
