import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readResults } from '../../src/payouts/results-file.ts';
import { emptyFolder } from '../support/folder.ts';

const folder = await emptyFolder();
const defaults = { outcome: 'failed' as const, providerReference: 'T-9', reason: 'given' };

async function read(content: string | Uint8Array) {
  const file = path.join(folder, 'answers.csv');
  await writeFile(file, content);
  return readResults(file, defaults);
}

test('every row says what it says, and where it says nothing the command does', async () => {
  const text =
    '\uFEFFReference,STATUS,Provider Reference,reason,other\r\nAAA,paid,T-1,,x\r\n\r\n bbb ,Returned,,"no\nbank",\r\nCCC,,,,\r\n';
  expect(await read(text)).toEqual([
    { payout: 'AAA', outcome: 'paid', providerReference: 'T-1', reason: 'given', where: 'answers.csv:2' },
    {
      payout: 'bbb',
      outcome: 'returned',
      providerReference: 'T-9',
      reason: 'no\nbank',
      where: 'answers.csv:4',
    },
    { payout: 'CCC', outcome: 'failed', providerReference: 'T-9', reason: 'given', where: 'answers.csv:6' },
  ]);
});

test.each([';', '\t'])('cells may be apart by %j, and the reference alone is enough', async (mark) => {
  expect(await read(`provider_reference${mark}reference\nT-1${mark}AAA\n`)).toMatchObject([
    { payout: 'AAA', providerReference: 'T-1', outcome: 'failed' },
  ]);
  expect(await read('reference\nAAA')).toMatchObject([{ payout: 'AAA' }]);
});

test.each([
  ['status,reason\npaid,x\n', { message: expect.stringContaining('no column "reference"') }],
  ['reference,reference\nA,B\n', { message: expect.stringContaining('twice') }],
  ['reference,status\nA,paid\nB,unclaimed\n', { found: 'unclaimed', place: { line: 3, field: 'status' } }],
  ['reference,status\n,paid\n', { place: { line: 2, field: 'reference' } }],
  ['reference,status\nA\n', { place: { line: 2 } }],
  ['reference,status\nA,"paid\n', { message: expect.stringContaining('quote') }],
  ['reference,status\n', { message: 'The file has no rows.' }],
  ['', { message: expect.stringContaining('no column') }],
  [new Uint8Array([0x72, 0xff, 0x0a]), { message: 'The file is no text in UTF-8.' }],
])('%j is refused with the place', async (content, fault) => {
  await expect(read(content)).rejects.toMatchObject({ code: 'file-refused', ...fault });
});

test('a file that is not there is said to be', async () => {
  await expect(readResults(path.join(folder, 'none.csv'), defaults)).rejects.toMatchObject({
    code: 'file-unreadable',
    message: expect.stringContaining('ENOENT'),
  });
});
