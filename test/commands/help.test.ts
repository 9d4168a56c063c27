import { expect, test } from 'vitest';
import { emptyFolder } from '../support/folder.ts';
import { payrun } from './payrun.ts';
import { everyCommand, leavesOf } from './screen.ts';

type Command = Awaited<ReturnType<typeof everyCommand>>['commands'][number];

const program = await everyCommand({ does: () => () => {} } as never);
const commands = [
  ...leavesOf(program),
  'import',
  'imports',
  'payouts',
  'conflicts',
  'commissions',
  'db',
  'runs',
];

test('every page fits into 80 columns', () => {
  const tooLong = commands.flatMap((name) =>
    helpOf(name)
      .split('\n')
      .filter((line) => line.length > 80)
      .map((line) => `${name}: ${line}`),
  );
  expect(tooLong).toEqual([]);
});

test('a flag means and says the same wherever it stands, and asks for the same', () => {
  for (const flag of ['--by', '--dry-run', '--expect-rows', '--expect-total', '--plan', '--csv']) {
    const options = commands.flatMap((name) => find(name).options.filter((option) => option.long === flag));
    const said = options.map(({ flags, description, mandatory }) => ({ flags, description, mandatory }));
    expect(said.length).toBeGreaterThan(0);
    expect([...new Set(said.map((one) => JSON.stringify(one)))]).toHaveLength(1);
  }
});

test('whatever moves money by the word of a person asks who it is', () => {
  const named = leavesOf(program).filter((name) => find(name).options.some(({ long }) => long === '--by'));
  expect(named.sort()).toEqual([
    'adjust',
    'commissions approve',
    'conflicts accept',
    'conflicts keep',
    'imports undo',
    'payouts approve',
    'payouts cancel',
    'payouts mark-failed',
    'payouts mark-paid',
    'payouts mark-returned',
    'payouts prepare',
  ]);
});

test('help of a command below another one is its own page, with what is required marked', async () => {
  const cwd = await emptyFolder();
  const sales = await payrun(['help', 'import', 'sales'], { cwd });
  expect(sales).toMatchObject({ code: 0, stderr: '' });
  expect(sales.stdout).toContain('Usage: payrun import sales [options] <file...>');
  expect((await payrun(['help', 'imports', 'undo'], { cwd })).stdout).toMatch(/--by <name> .*\(required\)$/m);
  const unknown = await payrun(['help', 'import', 'sails'], { cwd });
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('sales, events, affiliates, referrals');
});

test('everything that is missing is named at once', async () => {
  const run = await payrun(['imports', 'undo'], { cwd: await emptyFolder() });
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('This is missing: <import>, --by <name>, --reason <text>.');
  expect(run.stderr).toContain('payrun help imports undo');
});

test('hints name Payrun as it was called', async () => {
  const cwd = await emptyFolder();
  const by = (script: string) => payrun(['audit'], { cwd, env: { npm_lifecycle_script: script } });
  expect((await by("'payrun'")).stderr).toContain('Run "npx payrun init" here');
  expect((await by('node src/payrun.js demo')).stderr).toContain('Run "npx payrun init" here');
  expect((await by('vitest run')).stderr).toContain('Run "payrun init" here');
  expect((await payrun(['audit'], { cwd })).stderr).toContain('Run "payrun init" here');
});

test('with --json an error is a document on stdout, and the same sentence on stderr', async () => {
  const cwd = await emptyFolder();
  const wrong = await payrun(['audit', '--json'], { cwd });
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.stdout)).toMatchObject({
    error: { code: 'config-not-found', todo: expect.stringContaining('payrun init'), exit_code: 2 },
  });
  expect(wrong.stderr).toContain('[config-not-found]');
  for (const args of [['aply'], ['imports', 'undo'], ['audit', '--wrong'], []]) {
    const run = await payrun([...args, '--json'], { cwd });
    expect(run.code).toBe(2);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: 'usage', message: expect.any(String) } });
  }
});

function find(name: string): Command {
  return name
    .split(' ')
    .reduce<Command>((parent, part) => parent.commands.find((one) => one.name() === part)!, program);
}

function helpOf(name: string): string {
  let text = '';
  const command = find(name);
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}
