import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyFolder } from '../support/folder.ts';

/** A workspace whose jobs/ folder holds these files. */
async function workspace(files: Record<string, string>): Promise<string> {
  const folder = await emptyFolder();
  await mkdir(path.join(folder, 'jobs'));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, 'jobs', name), text);
  return folder;
}

const from = (file: string) => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);

/** Loads the jobs in a process of its own, as the command does, where no bundler resolves imports. */
function load(folder: string) {
  const program = `
    import { describeError } from ${from('errors.ts')};
    import { createLog } from ${from('log.ts')};
    import { loadJobs } from ${from('runs/jobs.ts')};
    try {
      const jobs = await loadJobs(${JSON.stringify(folder)}, createLog());
      const told = [...jobs.values()].map(({ name, summary }) => [name, summary]);
      console.log(JSON.stringify(Object.fromEntries(told)));
    } catch (error) {
      console.error(describeError(error));
    }`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    encoding: 'utf8',
  });
  const jobs: Record<string, string> = ran.stdout ? JSON.parse(ran.stdout) : {};
  return { jobs, stderr: ran.stderr };
}

const job = (name: string, more = '') => `
  import { defineJob } from 'payrun';
  export default defineJob({ name: '${name}', summary: 'My own.', run: async () => ({ counts: {}, totals: {} }) });
  ${more}`;

test('the built-in jobs are found, also in a workspace without a jobs/ folder', () => {
  const { jobs, stderr } = load(tmpdir());
  expect(Object.keys(jobs).sort()).toEqual([
    'audit',
    'export-payouts',
    'import-events',
    'import-sales',
    'nightly',
    'prepare-payouts',
    'release-holds',
    'retry-parked',
  ]);
  expect(stderr).toBe('');
});

describe('a job of the user’s own', () => {
  test.each(['ts', 'mts', 'js', 'mjs'])(
    'written as .%s is found, though no package "payrun" is installed beside it',
    async (extension) => {
      const typed = extension.endsWith('ts') ? 'export const typed: number = 1;' : '';
      const { jobs, stderr } = load(
        await workspace({ [`send-report.${extension}`]: job('send-report', typed) }),
      );
      expect(stderr).toBe('');
      expect(jobs['send-report']).toBe('My own.');
      expect(jobs.nightly).toBeDefined();
    },
  );

  test('replaces the built-in one of its name, and a warning says so', async () => {
    const { jobs, stderr } = load(await workspace({ 'nightly.ts': job('nightly') }));
    expect(jobs.nightly).toBe('My own.');
    expect(stderr).toMatch(/warn .*jobs\/nightly\.ts of the workspace replaces the job "nightly"/);
  });

  test.each([
    ['does not parse', 'export default {', 'This job file cannot be loaded.'],
    ['exports no job', 'export const nothing = 1;', 'This file exports no job.'],
    ['has another name than its job', job('other'), 'must have the file\'s name, "broken".'],
    ['names its job in capitals', job('Broken'), 'This job file cannot be loaded.'],
  ])('in a file that %s is refused, naming the file', async (_, text, sentence) => {
    const folder = await workspace({ 'broken.ts': text, 'fine.ts': job('fine') });
    const { jobs, stderr } = load(folder);
    expect(jobs).toEqual({});
    expect(stderr).toContain(sentence);
    expect(stderr).toContain('[job-invalid]');
    expect(stderr).toContain(path.join(folder, 'jobs', 'broken.ts'));
  });

  test('beside files of other kinds and type declarations is the only one looked at', async () => {
    const { jobs } = load(
      await workspace({ 'mine.ts': job('mine'), 'mine.d.ts': 'no code', 'notes.md': 'no code' }),
    );
    expect(jobs.mine).toBe('My own.');
  });
});
