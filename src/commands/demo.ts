import { access, cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { applyAccounts } from '../db/apply.ts';
import type { Db } from '../db/connect.ts';
import { importFile } from '../imports/import.ts';
import type { ToDo } from '../ledger/to-do.ts';
import { packageRoot } from '../package-root.ts';
import { exportPayouts, listBatches } from '../payouts/payout.ts';
import { findJob, loadJobs } from '../runs/jobs.ts';
import { executeRun } from '../runs/run.ts';
import type { StepResult } from '../runs/work.ts';
import { describeNight } from './describe-night.ts';
import { describeToDo } from './describe-to-do.ts';
import { type Account, findAccounts, withWorkspace } from './open.ts';
import { zoneOfJob } from './options.ts';
import { paragraphs, plural, section, sentences } from './render.ts';
import type { Answer, Shell } from './shell.ts';

/** The night that the demo plays: what falls due, and which period has closed, depends on it. */
const night = new Date('2026-03-02T01:00:00Z');

const folderName = 'payrun-demo';
const examples = new URL('fixtures/demo/', packageRoot);

/** Adds `payrun demo`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('demo')
    .summary('make a workspace of examples and run a night in it')
    .description(
      'Make a workspace of example files and run one real night in it; again shows that nothing is done twice.',
    )
    .argument('[folder]', 'where to make it', folderName)
    .action(shell.does((folder: string) => demo(shell, folder)));
}

async function demo(shell: Shell, folder: string): Promise<Answer> {
  const workspace = path.resolve(shell.cwd, folder);
  const isAgain = await exists(path.join(workspace, 'payrun.json'));
  // The same files lie in the inbox again the second time, as they would after a mistake.
  await cp(examples, workspace, { recursive: true });
  const there = {
    ...shell,
    cwd: workspace,
    clock: () => night,
    globals: () => ({ ...shell.globals(), workspace }),
  };
  return withWorkspace(there, async (context) => {
    await applyAccounts(context.db, context.config.accounts, night);
    const [account] = await findAccounts(there, context);
    shell.tellTimesIn(zoneOfJob(context.config, 'nightly'));
    await importAffiliates(context, account!, workspace);
    const { steps, for_a_person } = await runNight(context, account!);
    const rebuilt = isAgain ? await rebuildPayouts(context, account!) : 0;
    const files = await writtenFiles(workspace);
    return {
      data: { workspace, as_of: night, again: isAgain, steps, for_a_person, files },
      text: (paint) =>
        paragraphs(
          describeNight(paint, {
            title: isAgain ? 'The same night again' : 'A night at Acme Inc.',
            asOf: night,
            steps,
          }),
          describeToDo(paint, for_a_person),
          section(paint, 'Files', sentences(files.map((file) => path.join(folder, file)))),
          isAgain
            ? `Nothing was recorded or paid twice: the ${plural(rebuilt, 'payout batch', 'payout batches')} of the first night, built anew, came out the same, byte for byte.`
            : `Look around:  cd ${folder}, then "payrun payouts list", "payrun explain W-2003", "payrun audit".\nRun it again: nothing is recorded twice, nothing is paid twice.`,
        ),
    };
  });
}

async function importAffiliates(context: Context<Db>, account: Account, workspace: string): Promise<void> {
  const file = path.join(workspace, 'affiliates.csv');
  const spec = { job: 'import-file', parameters: { kind: 'affiliates', file }, asOf: night, dryRun: false };
  await executeRun(context, account, spec, (work) => importFile(work, { kind: 'affiliates', file }));
}

async function runNight(
  context: Context<Db>,
  account: Account,
): Promise<{ steps: StepResult[]; for_a_person: ToDo[] }> {
  const jobs = await loadJobs(context.config.workspace, context.log);
  const spec = { job: 'nightly', parameters: {}, asOf: night, dryRun: false };
  const result = await executeRun(context, account, spec, findJob(jobs, 'nightly'), { jobs });
  if (result.status === 'skipped') throw new Error('A run by hand has no slot.');
  return result.outcome.report as { steps: StepResult[]; for_a_person: ToDo[] };
}

/** Builds every batch that has left once more; a single byte that differs is raised as an alarm. */
async function rebuildPayouts(context: Context<Db>, account: Account): Promise<number> {
  const batches = await listBatches(context.db.sql, account.id, { status: 'exported' });
  for (const { batchId } of batches) {
    const spec = { job: 'export-payouts', parameters: { batch: batchId }, asOf: night, dryRun: false };
    await executeRun(context, account, spec, (work) => exportPayouts(work, { batchId }));
  }
  return batches.length;
}

/** What the night left in the workspace for a person, from the workspace. */
async function writtenFiles(workspace: string): Promise<string[]> {
  const folders = ['outbox', 'rejects', 'archive'];
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(path.join(workspace, folder), {
        recursive: true,
        withFileTypes: true,
      }).catch(() => []);
      return names
        .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
        .map((entry) => path.relative(workspace, path.join(entry.parentPath, entry.name)));
    }),
  );
  return found.flatMap((files) => files.sort());
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
