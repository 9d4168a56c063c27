import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { configOf, emptyFolder, ended, payrun, start, workspace } from './payrun.ts';

let url: string;

beforeAll(async () => {
  url = (await testDatabase()).url;
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
  await new Promise<void>((scheduled) => {
    child.stderr?.on('data', (text: string) => {
      if (text.includes('job scheduled')) scheduled();
    });
  });
  child.kill('SIGTERM');
  const { code, stderr, stdout } = await end;
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(stderr).toContain('stopping');
});

test('colours are for terminals only', async () => {
  const cwd = await workspace(configOf('acme'));
  await payrun(['apply'], { cwd, url });
  const run = await payrun(['check'], { cwd, url, env: { FORCE_COLOR: '1' } });
  expect(run.stdout).toContain('ok ');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
  expect(run.stdout).not.toMatch(/\u001b\[/);
});
