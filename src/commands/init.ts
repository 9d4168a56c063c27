import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { makeFolder } from '../disk.ts';
import { PayrunError } from '../errors.ts';
import { makeKeyFile } from '../secrets.ts';
import { starterConfig, starterGitignore, starterRates } from './init-files.ts';
import { paragraphs } from './render.ts';
import type { Answer, Shell } from './shell.ts';

const examples = `
Examples:
  payrun init                 begin a workspace in this folder
  payrun init partners        begin one in the folder "partners"`;

/** Adds `payrun init`. */
export function register(program: Command, shell: Shell): void {
  program
    .command('init')
    .summary('begin a workspace')
    .description('Begin a workspace: an explained payrun.json and the folders around it. Overwrites nothing.')
    .argument('[folder]', 'where; this folder when left out')
    .addHelpText('after', examples)
    .action(shell.does((folder: string | undefined) => init(shell, folder)));
}

async function init(shell: Shell, folder = '.'): Promise<Answer> {
  const workspace = path.resolve(shell.cwd, folder);
  const written: string[] = [];
  const kept: string[] = [];
  const note = (name: string, isNew: boolean) => (isNew ? written : kept).push(name);
  await makeWorkspace(workspace);
  note('payrun.json', await writeNew(path.join(workspace, 'payrun.json'), starterConfig));
  note('rates.csv', await writeNew(path.join(workspace, 'rates.csv'), starterRates));
  note('.gitignore', await writeNew(path.join(workspace, '.gitignore'), starterGitignore));
  note('.payrun/key', await attempt(workspace, () => makeKeyFile(workspace)));
  const config = loadConfig({ folder: workspace, from: shell.cwd, env: shell.env });
  for (const name of foldersOf(config)) {
    const folder = path.join(workspace, name);
    note(`${name}/`, await attempt(folder, () => makeFolder(folder, config.file_mode)));
  }
  return {
    data: { workspace, written, kept },
    text: (paint) =>
      paragraphs(
        `A workspace in ${workspace}`,
        written.map((name) => paint.good(`  + ${name}`)).join('\n'),
        kept.map((name) => paint.dim(`    ${name} was there and stays as it is`)).join('\n'),
        'Next: edit payrun.json, then run "payrun check" and "payrun apply".',
      ),
  };
}

/** The folders that work in this workspace goes through, with one inbox for each source of its payrun.json. */
function foldersOf(config: Config): string[] {
  const sources = config.accounts.flatMap((account) => account.sources);
  const inboxes = [...new Set(sources.map((source) => `inbox/${source.ref}`))];
  return ['inbox', ...inboxes, 'outbox', 'archive', 'rejects', 'statements'];
}

async function makeWorkspace(folder: string): Promise<void> {
  await attempt(folder, () => mkdir(folder, { recursive: true }));
}

/** Whether the file is new; one that exists is left alone. */
async function writeNew(file: string, text: string): Promise<boolean> {
  return attempt(file, () =>
    writeFile(file, text, { flag: 'wx' }).then(
      () => true,
      (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'EEXIST') return false;
        throw cause;
      },
    ),
  );
}

async function attempt<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new PayrunError('file-unreadable', 'This cannot be created.', {
      place: { file },
      found: (cause as NodeJS.ErrnoException).code ?? 'unknown',
      cause,
    });
  }
}
