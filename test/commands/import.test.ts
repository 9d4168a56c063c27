import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { beforeAll, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

let shop: Shop;

beforeAll(async () => {
  shop = await openShop((await testDatabase()).url);
});

const csv = (id: string) =>
  `external_id,affiliate,amount,currency,occurred_at\n${id},ada,10.00,USD,2026-01-10\n`;

test.each<[string, () => Buffer | Promise<Buffer>, number]>([
  ['text', () => Buffer.from(csv('IN-1')), 1],
  ['gzip', () => gzipSync(csv('IN-2')), 1],
  ['a zip', () => Buffer.from(zipSync({ 'sales.csv': strToU8(csv('IN-3')) })), 1],
  ['a workbook', () => readFile('fixtures/imports/workbook-1904.xlsx'), 2],
])('standard input may be %s, and is known by the sha256 of its bytes', async (_, bytes, rows) => {
  const input = await bytes();
  const imported = await payrunJson(
    ['import', 'sales', '-', '--dry-run'],
    { ...shop, input },
    rows === 1 ? 0 : 3,
  );
  const sha256 = createHash('sha256').update(input).digest('hex');
  expect(imported).toMatchObject({ file: 'stdin', sha256, rows });
});

test('standard input is cut off where it becomes longer than the source allows', async () => {
  const config = JSON.parse(await readFile(path.join(shop.cwd, 'payrun.json'), 'utf8'));
  config.accounts[0].sources[0].limits = { file_bytes: 50 };
  await writeFile(path.join(shop.cwd, 'payrun.json'), JSON.stringify(config));
  const run = await payrun(['import', 'sales', '-'], { ...shop, input: Buffer.from(csv('IN-4')) });
  expect(run.code).toBe(1);
  expect(run.stderr).toContain('The file has more than 50 bytes.');
  expect(run.stderr).toContain('raise "file_bytes" under "limits"');
});
