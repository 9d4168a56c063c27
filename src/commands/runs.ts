import type { Command } from 'commander';
import { showId } from '../ids.ts';
import { showCount } from '../money.ts';
import { listRuns, type RunHistory, type RunRecord, showRun } from '../runs/history.ts';
import { statusOf, viewRun } from '../runs/views.ts';
import { showDuration, showInstant, showShort } from '../time.ts';
import { countsText, describeNightsEnd, describeOutcome } from './describe-outcome.ts';
import { withAccount } from './open.ts';
import { limitFlag, limitHelp, readCount } from './options.ts';
import { type Paint, pairs, paragraphs, section, table } from './render.ts';
import type { Answer, Shell } from './shell.ts';

/** Adds `payrun runs list` and `payrun runs show`. */
export function register(program: Command, shell: Shell): void {
  const runs = program.command('runs').summary('the history of runs').description('The history of runs.');
  runs
    .command('list')
    .description('The latest runs, newest first.')
    .option('--job <name>', 'only those of this job, also as a step of another')
    .option(limitFlag, limitHelp, '20')
    .action(shell.does((options: { job?: string; limit: string }) => list(shell, options)));
  runs
    .command('show')
    .description('One run: its counts, totals, steps, files and report.')
    .argument('<run>', 'its id, as "payrun runs list" shows it')
    .action(shell.does((id: string) => show(shell, id)));
}

async function list(shell: Shell, { job, limit }: { job?: string; limit: string }): Promise<Answer> {
  const count = readCount('--limit', limit);
  return withAccount(shell, async ({ db }, account) => {
    const runs = await listRuns(db, account.id, { limit: count, job });
    return {
      data: runs.map(viewRun),
      text: (paint) =>
        runs.length === 0
          ? 'There are no runs yet; "payrun run nightly" makes one.'
          : describeList(paint, runs),
    };
  });
}

async function show(shell: Shell, id: string): Promise<Answer> {
  return withAccount(shell, async ({ db, config }, account) => {
    const history = await showRun(db, account.id, id);
    const { run, attempts, children, imports } = history;
    return {
      data: {
        ...viewRun(run),
        report: run.report,
        attempts: attempts.map(viewRun),
        steps: children.map(viewRun),
        imports: imports.map((one) => ({
          import: showId('import', one.id),
          kind: one.kind,
          file: one.file,
          sha256: one.sha256,
          rows: one.rows,
          counts: one.counts,
          totals: one.totals,
          rejects_file: one.rejects_file,
        })),
      },
      text: (paint) => describeRun(paint, history, config.jobs[run.job]?.timezone ?? paint.zone),
    };
  });
}

/** What is known of the runner of a run that has not come to an end by itself. */
function runnerOf(run: RunRecord, zone: string): string | undefined {
  const heard = showInstant(run.last_heard_at, zone);
  if (run.status === 'lost' || (run.status === 'running' && run.lease_over))
    return `broken off; last heard of at ${heard}`;
  if (run.status !== 'running') return undefined;
  return run.live ? `last heard of at ${heard}` : `gone; not heard of since ${heard}`;
}

function describeList(paint: Paint, runs: RunRecord[]): string {
  const rows = runs.map((run) => [
    showId('run', run.id),
    run.job,
    coloured(paint, statusOf(run)),
    showShort(run.started_at, paint.zone),
    took(run) ?? '',
    summary(run, paint.zone),
  ]);
  const columns = ['run', 'job', 'status', `started (${paint.zone})`].map((title) => ({ title }));
  return table(paint, [...columns, { title: 'took', align: 'right' }, { title: '' }], rows);
}

function describeRun(paint: Paint, { run, attempts, children, imports }: RunHistory, zone: string): string {
  const parameters = Object.entries(run.parameters).map(([name, value]) => `${name}=${String(value)}`);
  const facts = pairs(paint, [
    ['run', showId('run', run.id)],
    ['job', run.job],
    ['status', coloured(paint, statusOf(run))],
    ['attempt', String(run.attempt)],
    ['scheduled for', run.slot ? showInstant(run.slot, zone) : undefined],
    ['as of', showInstant(run.as_of, zone)],
    ['parameters', parameters.join(', ') || undefined],
    ['started', showInstant(run.started_at, zone)],
    ['took', took(run)],
    ['runner', runnerOf(run, zone)],
    ['failed because', run.error ? run.error.message : undefined],
  ]);
  const files = imports.map((one) => [
    one.file,
    one.kind,
    showCount(one.rows),
    countsText(one.counts),
    one.rejects_file ?? '',
  ]);
  return paragraphs(
    facts,
    children.length > 0 ? section(paint, 'Steps', (inner) => describeList(inner, children)) : '',
    files.length > 0
      ? section(paint, 'Files', (inner) =>
          table(
            inner,
            [
              { title: 'file' },
              { title: 'kind' },
              { title: 'rows', align: 'right' },
              { title: '' },
              { title: 'rejects' },
            ],
            files,
          ),
        )
      : '',
    describeOutcome(paint, {
      counts: run.counts ?? {},
      totals: run.totals ?? {},
      report: children.length > 0 ? undefined : run.report,
    }),
    attempts.length > 0 ? section(paint, 'Other attempts', (inner) => describeList(inner, attempts)) : '',
    describeNightsEnd(paint, run.report),
  );
}

function coloured(paint: Paint, status: string): string {
  if (status === 'done') return paint.good(status);
  return status === 'running' ? paint.warn(status) : paint.bad(status);
}

function took(run: RunRecord): string | undefined {
  return run.finished_at ? showDuration(run.finished_at.getTime() - run.started_at.getTime()) : undefined;
}

function summary(run: RunRecord, zone: string): string {
  if (run.error) return run.error.message;
  const counts = countsText(run.counts ?? {});
  const runner = run.live ? undefined : runnerOf(run, zone);
  return [runner, counts].filter(Boolean).join('; ');
}
