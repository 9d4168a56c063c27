import { access } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { renderReadme } from './commands.ts';

test('the README lists the commands as --help does; if not, "npm run docs" mends it', async () => {
  const { present, fresh } = await renderReadme();
  expect(fresh).toContain('payouts');
  expect(present).toBe(fresh);
});

test('every folder that the README names as proof is there', async () => {
  const { present } = await renderReadme();
  const named = [...present.matchAll(/`((?:test|src|fixtures)\/[\w/.-]*?)\/?`/g)].map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(8);
  for (const path of new Set(named)) await access(new URL(`../../${path}`, import.meta.url));
});
