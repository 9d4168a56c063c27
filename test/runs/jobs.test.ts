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
function load(folder: string, name = 'nightly') {
  const program = `
    import { describeError } from ${from('errors.ts')};
    import { createLog } from ${from('log.ts')};
    import { findJob, loadJobs, usableNames } from ${from('runs/jobs.ts')};
    try {
      const jobs = await loadJobs(${JSON.stringify(folder)}, createLog());
      const told = usableNames(jobs).map((name) => [name, jobs.get(name).summary]);
      console.log(JSON.stringify(Object.fromEntries(told)));
      findJob(jobs, ${JSON.stringify(name)});
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
  ])(
    'in a file that %s is warned of, naming the file, and refused where it is asked for',
    async (_, text, sentence) => {
      const folder = await workspace({ 'broken.ts': text, 'fine.ts': job('fine') });
      const file = path.join(folder, 'jobs', 'broken.ts');
      const { jobs, stderr } = load(folder);
      expect(Object.keys(jobs)).toEqual(expect.arrayContaining(['fine', 'nightly']));
      expect(Object.keys(jobs)).not.toContain('broken');
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/warn +a job is left out: /)]);
      expect(stderr).toContain(sentence);
      expect(stderr).toContain(`(${file})`);
      const asked = load(folder, 'broken').stderr;
      expect(asked).toContain('[job-invalid]');
      expect(asked).toContain(`where: ${file}`);
    },
  );

  test('below a package.json of CommonJS is refused, and the message says how to name it', async () => {
    const folder = await workspace({ 'mine.ts': job('mine') });
    await writeFile(path.join(folder, 'package.json'), '{ "type": "commonjs" }');
    expect(load(folder, 'mine').stderr).toContain(
      'to do: Name the file mine.mts, or put "type": "module" into',
    );
  });

  test('whose file is bad does not give way to the built-in one that it would replace', async () => {
    const folder = await workspace({ 'nightly.ts': 'export default 1;', 'worse.mjs': 'export default {' });
    const { jobs, stderr } = load(folder);
    expect(Object.keys(jobs)).toContain('import-sales');
    expect(Object.keys(jobs)).not.toContain('nightly');
    expect(stderr).toContain(`where: ${path.join(folder, 'jobs', 'nightly.ts')}`);
    expect(stderr.match(/a job is left out/g)).toHaveLength(2);
  });

  test('beside files of other kinds and type declarations is the only one looked at', async () => {
    const { jobs } = load(
      await workspace({ 'mine.ts': job('mine'), 'mine.d.ts': 'no code', 'notes.md': 'no code' }),
    );
    expect(jobs.mine).toBe('My own.');
  });
});

test('a jobs/ that can’t be read is not an empty one: nobody knows then which built-in jobs it replaces', async () => {
  const folder = await emptyFolder();
  await writeFile(path.join(folder, 'jobs'), 'a file where a folder should be');
  const { jobs, stderr } = load(folder);
  expect(jobs).toEqual({});
  expect(stderr).toContain('error: A part of the path "jobs/" is a file, not a folder. [wrong-path]');
});
