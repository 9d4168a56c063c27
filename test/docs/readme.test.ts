import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ended } from '../commands/payrun.ts';
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
