import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { payrun } from './payrun.ts';

/*
 * The gallery of wrong configurations: a folder a case in fixtures/errors, with the payrun.json and what Payrun says
 * about it. After a change of words: UPDATE_GALLERY=1 npx vitest run test/commands/errors.test.ts
 */
const gallery = fileURLToPath(new URL('../../fixtures/errors/', import.meta.url));
const cases = readdirSync(gallery);

test('there is a gallery', () => {
  expect(cases.length).toBeGreaterThan(5);
});

test.each(cases)('a person is told what is wrong, where, and what to do: %s', async (name) => {
  const folder = path.join(gallery, name);
  const file = path.join(folder, 'expected.txt');
  const { code, stdout, stderr } = await payrun(['check'], { cwd: folder });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  const said = stderr.replaceAll(folder, '<workspace>');
  if (process.env.UPDATE_GALLERY === '1') await writeFile(file, said);
  expect(said).toBe(await readFile(file, 'utf8'));
});
