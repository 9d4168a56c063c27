import type { ImportReport, InboxFile } from '../imports/import.ts';
import type { StepResult } from '../runs/work.ts';
import { showInstant } from '../time.ts';
import { describeFiles } from './describe-files.ts';
import { describeConflicts, describeRejects } from './describe-import.ts';
import { describeOutcome } from './describe-outcome.ts';
import { type Paint, paragraphs, section, sentences, showDecimal, table } from './render.ts';

/** A whole night in words: the files and how their rows ended, then what each later step did. */
export function describeNight(
  paint: Paint,
  night: { title: string; asOf: Date; steps: StepResult[] },
): string {
  const files = night.steps.filter((step) => /^import-/.test(step.job)).flatMap(filesOf);
  const others = night.steps.filter((step) => !/^import-/.test(step.job));
  return paragraphs(
    `${paint.bold(night.title)}  as of ${showInstant(night.asOf, paint.zone)}`,
    files.length === 0 ? '' : section(paint, 'Files', (inner) => describeFiles(inner, files)),
    section(paint, 'Sales and commissions', (inner) => moneyTable(inner, night.steps)),
    ...files.map((file) =>
      file.report ? describeLeftovers(paint, file.report, file.counts.rejected ?? 0) : '',
    ),
    ...others.map((step) => section(paint, step.job, (inner) => describeStep(inner, step))),
  );
}

function moneyTable(paint: Paint, steps: StepResult[]): string {
  const rows = steps
    .filter((step) => /^import-|^retry-/.test(step.job))
    .flatMap((step) =>
      Object.entries(step.outcome?.totals ?? {}).map(([currency, { sales, commissions }]) => [
        step.job,
        showDecimal(sales ?? '0', currency),
        showDecimal(commissions ?? '0', currency),
      ]),
    );
  if (rows.length === 0) return 'Nothing new.';
  return table(
    paint,
    [{ title: 'step' }, { title: 'sales', align: 'right' }, { title: 'commissions', align: 'right' }],
    rows,
  );
}

function describeLeftovers(paint: Paint, report: ImportReport, rejected: number): string {
  if (
    report.rejected_groups.length === 0 &&
    report.conflict_rows.length === 0 &&
    report.warnings.length === 0
  )
    return '';
  return section(paint, report.file.split('/').at(-1)!, (inner) =>
    paragraphs(
      sentences(report.warnings),
      describeConflicts(inner, report.conflict_rows),
      describeRejects(inner, report, rejected, false),
    ),
  );
}

function describeStep(paint: Paint, step: StepResult): string {
  if (step.message !== undefined) return paint.bad(step.message);
  const { counts = {}, totals = {}, report } = step.outcome ?? {};
  if (step.job === 'audit') return paint.good('The books balance to the cent.');
  return describeOutcome(paint, { counts, totals, report });
}

function filesOf(step: StepResult): InboxFile[] {
  return (step.outcome?.report as { files?: InboxFile[] } | undefined)?.files ?? [];
}
