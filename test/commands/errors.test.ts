import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../src/errors.ts';
import { faultCodes } from '../../src/imports/faults.ts';
import { machineFaults } from '../../src/machine-faults.ts';
import { testDatabase } from '../support/database.ts';
import { told } from './error-case.ts';
import { payrun } from './payrun.ts';

/*
 * The gallery of errors: a folder a code in fixtures/errors, with files that cause it and what Payrun says about them.
 * A file is imported as the kind that its name begins with, on the desk of desk.json or, for `<name>.<ending>`, of
 * `<name>.desk.json`.
 * After a change of words: PAYRUN_WRITE_EXPECTED=1 npx vitest run test/commands/errors.test.ts
 */
const { db, url } = await testDatabase();
const gallery = fileURLToPath(new URL('../../fixtures/errors/', import.meta.url));
const shown = readdirSync(gallery);
const byCommand = ['config-invalid', 'config-not-applied'];

/** The codes that no file can cause, each with the reason. */
const withoutFile: Partial<Record<ErrorCode, string>> = {
  ...Object.fromEntries(Object.keys(machineFaults).map((code) => [code, 'the server or the system refuses'])),
  usage: 'the command line is wrong, not a file',
  'workspace-untrusted': 'it depends on who owns the workspace',
  'config-not-found': 'there is no file',
  'database-unreachable': 'the server does not answer',
  'commit-unknown': 'the server is lost while it commits',
  'database-embedded': 'the server does not start',
  'database-schema': 'the server has another schema',
  'plan-outdated': 'the plan on the command line is outdated, whatever the file',
  'file-exists': 'the file that is in the way has the id of a batch in its name, which nobody knows before',
  'file-gone': 'there is no file any more',
  'link-broken': 'it depends on where a link leads; the inbox has its own tests',
  'link-outside': 'it depends on where a link leads; the inbox has its own tests',
  'not-a-file': 'it is no file',
  'row-rejected': 'what a single request is answered; the rows of a file have the codes of their faults',
  'not-found': 'an id on the command line is wrong',
  state: 'the ledger is in another state than the command needs',
  'job-failed': 'what the code of a job raises, it raises when it runs',
  'already-running': 'another run is under way',
  busy: 'others hold what a request needs',
  'lease-lost': 'another runner took the run over',
  defect: 'the code of Payrun is wrong, not a file',
  interrupted: 'a person or the system stopped the run',
  'books-adrift': 'the books are wrong, which no file can make them',
};

test('every error that a file can cause stands in the gallery, and nothing else does', () => {
  const codes = [...errorCodes.filter((code) => !(code in withoutFile)), ...faultCodes];
  expect(shown.sort()).toEqual(codes.sort());
  expect(Object.keys(withoutFile).filter((code) => !errorCodes.includes(code as ErrorCode))).toEqual([]);
});

describe('a person is told what is wrong, where, and what to do', () => {
  test.each(shown.filter((code) => !byCommand.includes(code)))('%s', async (code) => {
    const folder = path.join(gallery, code);
    const said = await told(db, folder);
    for (const one of said) expect(one).toContain(`[${code}]`);
    await asExpected(folder, said.join('\n'));
  });

  test.each(readdirSync(path.join(gallery, 'config-invalid')))('config-invalid: %s', async (name) => {
    const folder = path.join(gallery, 'config-invalid', name);
    await asExpected(folder, await toldBy(['check'], folder));
  });

  test('config-not-applied', async () => {
    const folder = path.join(gallery, 'config-not-applied');
    await asExpected(folder, await toldBy(['import', 'sales', 'sales.csv'], folder));
  });
});

async function toldBy(args: string[], folder: string): Promise<string> {
  const { code, stdout, stderr } = await payrun(args, { cwd: folder, url });
  expect(stdout).toBe('');
  return `${stderr.replaceAll(folder, '<workspace>')}exit code: ${code}\n`;
}

async function asExpected(folder: string, said: string): Promise<void> {
  const file = path.join(folder, 'expected.txt');
  if (process.env.PAYRUN_WRITE_EXPECTED === '1') await writeFile(file, said);
  expect(said).toBe(await readFile(file, 'utf8'));
}
