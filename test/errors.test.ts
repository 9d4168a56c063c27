import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkConfig, loadConfig } from '../src/config.ts';
import { describeError, listed, PayrunError } from '../src/errors.ts';
import { openScreen } from './commands/screen.ts';
import { configOf, workspace } from './commands/workspace.ts';
import { testDatabase } from './support/database.ts';

test('a list in a sentence has a dozen names, and says how many more there are', () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `c${index}`);
  expect(listed(names)).toMatch(/^c0, c1, .*, c11 and 99,988 more$/);
  expect(listed(names.slice(0, 12))).toMatch(/, c11$/);
  expect(listed(['x'.repeat(1_000)])).toBe(`${'x'.repeat(80)}…`);
});

test('a list below a sentence, and one that goes aside, have fifty lines', () => {
  const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
  const error = new PayrunError('usage', ['Wrong.', ...lines].join('\n'), { aside: lines });
  expect(describeError(error).match(/and 10 more/g)).toHaveLength(2);
  expect(describeError(error).split('\n')).toHaveLength(1 + 51 + 51 + 1);
});

test('a configuration with very many faults says fifty of them', async () => {
  const config = configOf('acme');
  const wrong = Array.from({ length: 5_000 }, () => ({ ref: '!', kind: 'nothing' }));
  const cwd = await workspace({ accounts: [{ ...config.accounts[0], sources: wrong }] });
  const load = () => loadConfig({ from: cwd, env: {} });
  expect(load).toThrow(/and [\d,]+ more$/);
  expect(checkConfig('{}')).toHaveProperty('faults');
});

test('a file of 20,000 columns is refused in a few lines', async () => {
  const { url } = await testDatabase();
  const cwd = await workspace(configOf('acme'));
  const file = path.join(cwd, 'wide.csv');
  const names = Array.from({ length: 20_000 }, (_, index) => `c${index}`);
  await writeFile(file, `${names.join(',')}\n${names.map(() => '1').join(',')}\n`);
  const screen = openScreen({ cwd, url });
  await screen.see(['apply']);
  for (const kind of ['sales', 'affiliates', 'referrals']) {
    const seen = await screen.see(['import', kind, file]);
    expect(seen).toMatch(/19,9\d\d more/);
    expect(seen.length).toBeLessThan(8_000);
  }
});
