import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkConfig } from '../../src/config.ts';
import { emptyFolder } from '../support/folder.ts';
import { payrun, payrunJson } from './payrun.ts';

test('init makes a workspace that passes the check at once', async () => {
  const cwd = await emptyFolder();
  const made = await payrun(['init', 'partners'], { cwd });
  expect(made).toMatchObject({ code: 0, stderr: '' });
  const folder = path.join(cwd, 'partners');
  expect((await readdir(folder)).sort()).toEqual(
    [
      '.gitignore',
      '.payrun',
      'archive',
      'inbox',
      'outbox',
      'payrun.json',
      'rates.csv',
      'rejects',
      'statements',
    ].sort(),
  );
  expect((await readdir(path.join(folder, 'inbox'))).sort()).toEqual(['events', 'offline']);
  expect(await readFile(path.join(folder, '.gitignore'), 'utf8')).toContain('.payrun/');
  expect(await readFile(path.join(folder, 'rates.csv'), 'utf8')).toBe('from,to,day,rate,source\n');
  const check = (await payrunJson(['check'], { cwd: folder })) as { problems: number };
  expect(check.problems).toBe(0);
});

test('the payrun.json that init writes is right, and explains every key that it has', async () => {
  const cwd = await emptyFolder();
  await payrun(['init'], { cwd });
  const text = await readFile(path.join(cwd, 'payrun.json'), 'utf8');
  expect(checkConfig(text)).toHaveProperty('config');
  for (const key of [
    'ref',
    'currency',
    'timezone',
    'hold_days',
    'commission',
    'rounding',
    'minimum_payout',
    'payout_schedule',
    'commission_approval',
    'payout_approval',
    'incentives',
    'sources',
    'mapping',
    'defaults',
    'jobs',
    'missed',
  ]) {
    expect(text).toContain(`"${key}"`);
  }
});

test('init never overwrites: what was there stays as it is, and what is missing is added', async () => {
  const cwd = await emptyFolder();
  await payrun(['init'], { cwd });
  const config = (await readFile(path.join(cwd, 'payrun.json'), 'utf8')).replaceAll('"offline"', '"shop"');
  await writeFile(path.join(cwd, 'payrun.json'), config);
  await writeFile(path.join(cwd, 'rates.csv'), 'mine\n');
  const again = (await payrunJson(['init'], { cwd })) as { written: string[]; kept: string[] };
  expect(again.written).toEqual(['inbox/shop/']);
  expect(again.kept).toEqual(expect.arrayContaining(['payrun.json', 'rates.csv', '.gitignore', 'inbox/']));
  expect(await readFile(path.join(cwd, 'payrun.json'), 'utf8')).toBe(config);
  expect(await readFile(path.join(cwd, 'rates.csv'), 'utf8')).toBe('mine\n');
});
