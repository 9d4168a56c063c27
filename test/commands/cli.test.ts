import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import type { Db } from '../../src/db/connect.ts';
import { showInstant } from '../../src/time.ts';
import { testDatabase } from '../support/database.ts';
import { emptyFolder } from '../support/folder.ts';
import { ended, payrun, payrunJson, start } from './payrun.ts';
import { configOf, workspace } from './workspace.ts';

let db: Db;
let url: string;

beforeAll(async () => {
  ({ db, url } = await testDatabase());
});

test('a wrong command ends with code 2, and says what was probably meant', async () => {
  const run = await payrun(['aply'], { cwd: await emptyFolder() });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain("unknown command 'aply'");
  expect(run.stderr).toContain('Did you mean apply?');
});

test('a wrong option ends with code 2, and says what was probably meant', async () => {
  const run = await payrun(['apply', '--dryrun'], { cwd: await emptyFolder() });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain('Did you mean --dry-run?');
});

test('without a command the help goes to stderr, and the code is 2', async () => {
  const run = await payrun([], { cwd: await emptyFolder() });
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(run.stderr).toContain('Usage: payrun');
});

test('help and version go to stdout, also where there is no workspace', async () => {
  const cwd = await emptyFolder();
  const help = await payrun(['--help'], { cwd });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const command of [
    'init',
    'check',
    'apply',
    'import',
    'run',
    'runs',
    'start',
    'release',
    'payouts',
    'explain',
    'audit',
    'db',
  ]) {
    expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  }
  const version = await payrun(['--version'], { cwd });
  const { version: expected } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(version).toEqual({ code: 0, stdout: `${expected}\n`, stderr: '' });
});

test('outside of a workspace a command says how to begin one', async () => {
  const run = await payrun(['audit'], { cwd: await emptyFolder() });
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(
    /^error: .*payrun\.json.* \[config-not-found\]\n {2}where: .*\n {2}to do: .*payrun init/,
  );
});

test('where there are several accounts one has to be named, and an unknown one is refused', async () => {
  const config = configOf('acme');
  config.accounts.push({ ...configOf('beta').accounts[0]! });
  const cwd = await workspace(config);
  expect((await payrun(['apply'], { cwd, url })).code).toBe(0);
  const unnamed = await payrun(['runs', 'list'], { cwd, url });
  expect(unnamed.code).toBe(2);
  expect(unnamed.stderr).toContain('--account: acme, beta');
  const unknown = await payrun(['runs', 'list', '--account', 'gamma'], { cwd, url });
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('The accounts are: acme, beta');
  expect((await payrun(['runs', 'list', '--account', 'beta'], { cwd, url })).code).toBe(0);
});

test('an account that the database does not have yet is to be applied first', async () => {
  const cwd = await workspace(configOf('never-applied'));
  const run = await payrun(['runs', 'list'], { cwd, url });
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('[config-not-applied]');
  expect(run.stderr).toContain('payrun apply');
});

test('no password of DATABASE_URL is shown, whatever is wrong with it', async () => {
  const cwd = await workspace(configOf('acme'));
  for (const address of [
    'mysql://ada:geheim@localhost/x',
    'postgres://ada:geheim@localhost:1/x',
    'postgres://ada:gehe im@lo calhost/x',
    `postgres://nobody:geheim@${new URL(url).host}/payrun`,
  ]) {
    const run = await payrun(['audit'], { cwd, url: address, env: { PAYRUN_DEBUG: '0' } });
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(/^error: .*\n(.*\n)* {2}to do: /);
    expect(run.stdout + run.stderr).not.toMatch(/geheim|gehe im/);
  }
});

test('who reads the output may stop reading', async () => {
  const child = start(['--help'], { cwd: await emptyFolder() });
  child.stdout?.destroy();
  const end = await ended(child);
  expect(end.stderr).toBe('');
});

test('on the first request to stop it says so, and ends with nothing half done', async () => {
  const cwd = await workspace({
    ...configOf('acme'),
    jobs: { audit: { cron: '0 2 * * *', timezone: 'UTC' } },
  });
  await payrun(['apply'], { cwd, url });
  const child = start(['start'], { cwd, url });
  const end = ended(child);
  await heard(child, 'job scheduled');
  child.kill('SIGTERM');
  const { code, stderr, stdout } = await end;
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(stderr).toContain('stopping');
});

const waitingJob = `import { defineJob } from 'payrun';
export default defineJob({
  name: 'wait',
  summary: 'Wait.',
  parameters: {},
  run: async ({ context: { signal } }) => {
    const alive = setInterval(() => {}, 1000);
    console.error('waiting');
    await new Promise((_, reject) => {
      if (process.env.STUBBORN) return;
      signal.addEventListener('abort', () => { clearInterval(alive); reject(new Error('told to stop')); });
    });
  },
});
`;

async function startWaiting(env: Record<string, string>) {
  const place = { cwd: await workspace(configOf('acme')), url, env };
  await payrun(['apply'], place);
  await mkdir(path.join(place.cwd, 'jobs'));
  await writeFile(path.join(place.cwd, 'jobs', 'wait.ts'), waitingJob);
  const child = start(['run', 'wait'], place);
  const end = ended(child);
  await heard(child, 'waiting');
  return { place, child, end };
}

test('Ctrl-C interrupts a run, which is then in the history as interrupted', async () => {
  const { place, child, end } = await startWaiting({});
  child.kill('SIGINT');
  const { code, stdout, stderr } = await end;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('stopping');
  expect(stderr).toContain('[interrupted]');
  const [run] = (await payrunJson(['runs', 'list', '--job', 'wait'], place)) as { status: string }[];
  expect(run).toMatchObject({ status: 'interrupted' });
});

test('the second Ctrl-C ends the process at once, and its run counts as lost', async () => {
  const { place, child, end } = await startWaiting({ STUBBORN: '1' });
  child.kill('SIGINT');
  await heard(child, 'stopping');
  child.kill('SIGINT');
  expect(await end).toMatchObject({ code: 130, stdout: '' });
  const [run] = (await payrunJson(['runs', 'list', '--job', 'wait'], place)) as Record<string, string>[];
  expect(run).toMatchObject({ status: 'lost', last_heard_at: expect.stringMatching(/^20/) });
  const heardOf = showInstant(new Date(run!.last_heard_at!), 'Europe/Berlin');
  const told = async (...args: string[]) => (await payrun(['runs', ...args], place)).stdout;
  expect(await told('list', '--job', 'wait')).toContain(`gone; not heard of since ${heardOf}`);
  expect(await told('show', run!.run!)).toContain(`gone; not heard of since ${heardOf}`);
  await db.sql
    .updateTable('run')
    .set({ lease_until: new Date('2026-03-02T03:01:00Z') })
    .where('status', '=', 'running')
    .execute();
  expect(await told('list', '--job', 'wait')).toContain(
    'broken off; last heard of at 2026-03-02 04:00 Europe/Berlin',
  );
});

test('the command of the package starts the same command line', async () => {
  const launcher = fileURLToPath(new URL('../../src/payrun.js', import.meta.url));
  expect((await stat(launcher)).mode & 0o111).toBe(0o111);
  const child = spawn(launcher, ['explain'], { cwd: await emptyFolder(), env: { PATH: nodeFirst() } });
  const { code, stderr } = await ended(child);
  expect(code).toBe(2);
  expect(stderr).toContain("missing required argument 'id'");
});

test('colours are for terminals only', async () => {
  const cwd = await workspace(configOf('acme'));
  await payrun(['apply'], { cwd, url });
  const run = await payrun(['check'], { cwd, url, env: { FORCE_COLOR: '1' } });
  expect(run.stdout).toContain('ok ');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
  expect(run.stdout).not.toMatch(/\u001b\[/);
});

/** Waits until the process has said that on stderr. */
function heard(child: ChildProcess, what: string): Promise<void> {
  return new Promise((resolve) => {
    child.stderr?.on('data', (text: string) => {
      if (text.includes(what)) resolve();
    });
  });
}

function nodeFirst(): string {
  return `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH}`;
}
