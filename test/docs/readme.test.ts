import { spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ended, payrun } from '../commands/payrun.ts';
import { configOf, workspace } from '../commands/workspace.ts';
import { renderReadme } from './commands.ts';

test('the README lists the commands as --help does; if not, "npm run docs" mends it', async () => {
  const { present, fresh } = await renderReadme();
  expect(fresh).toContain('payouts');
  expect(present).toBe(fresh);
});

test('"npm run docs" needs nothing of the tests', async () => {
  const script = fileURLToPath(new URL('commands.ts', import.meta.url));
  const { code, stderr } = await ended(spawn(process.execPath, ['-e', `await import('${script}')`]));
  expect([code, stderr]).toEqual([0, '']);
});

test('every folder that the README names as proof is there', async () => {
  const { present } = await renderReadme();
  const named = [...present.matchAll(/`((?:test|src|fixtures)\/[\w/.-]*?)\/?`/g)].map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(8);
  for (const path of new Set(named)) await access(new URL(`../../${path}`, import.meta.url));
});

test('the job that the README shows can be loaded, also where the nearest package.json says CommonJS', async () => {
  const { present } = await renderReadme();
  const file = /`(jobs\/[\w-]+\.mts)`/.exec(present)![1]!;
  const code = /```ts\n(import \{ defineJob \}.*?)```/s.exec(present)![1]!;
  const cwd = await workspace(configOf('acme'));
  await writeFile(path.join(cwd, 'package.json'), '{ "type": "commonjs" }');
  await mkdir(path.join(cwd, 'jobs'));
  await writeFile(path.join(cwd, file), code);
  const { code: exitCode, stdout } = await payrun(['check'], { cwd });
  expect(stdout).toContain(path.parse(file).name);
  expect(exitCode).toBe(0);
});
