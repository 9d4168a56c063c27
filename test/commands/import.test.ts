import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import { beforeAll, expect, test } from 'vitest';
import { describeImport } from '../../src/commands/describe-import.ts';
import { createPaint } from '../../src/commands/paint.ts';
import { deskOfAnn, header } from '../imports/ann.ts';
import { testDatabase } from '../support/database.ts';
import { payrun, payrunJson } from './payrun.ts';
import { openShop, type Shop } from './shop.ts';

const { db, url } = await testDatabase();
const paint = createPaint(false);
let shop: Shop;

beforeAll(async () => {
  shop = await openShop(url);
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

test('what a person reads counts every rejected row, also of faults that are not listed one by one', async () => {
  const desk = await deskOfAnn(db);
  const outcome = await desk.land('sales', await readFile('fixtures/imports/faults.csv'));
  const { rejected, recorded } = outcome.counts;
  expect(recorded! + rejected!).toBe(39);
  const told = describeImport(paint, { outcome, run: 'run_1', kind: 'sales', dryRun: false });
  expect(told).toContain(`Rejected: ${rejected} rows to correct`);
  const listed = outcome.report.rejected_groups.reduce((sum, { rows }) => sum + rows, 0);
  expect(told).toContain(`${rejected! - listed} more rows with other faults.`);
});

test('sales of several currencies are not said to earn nothing in their own', async () => {
  const desk = await deskOfAnn(db, { rates: ['EUR,USD,2026-01-10,1.1,ECB'] });
  const rows = 's-1,ann,10.00,EUR,2026-01-10\ns-2,ann,20.00,USD,2026-01-10\n';
  const outcome = await desk.land('sales', `${header}\n${rows}`, { dryRun: true });
  const told = describeImport(paint, { outcome, run: null, kind: 'sales', dryRun: true });
  expect(told).toMatch(/^10\.00 EUR\n20\.00 USD +6\.20 USD$/m);
});

test('an affiliate stands once among those who would earn, whether or not each sale earns', async () => {
  const desk = await deskOfAnn(db);
  const rows = 's-1,ann,10.00,USD,2026-01-10,\ns-2,ann,20.00,USD,2026-01-10,failed\n';
  const { report } = await desk.land('sales', `${header},sales_status\n${rows}`, { dryRun: true });
  expect(report.preview?.affiliates).toMatchObject([
    { affiliate: 'ann', sales: '30.00', commissions: '2.00' },
  ]);
});

test('the first rows are shown without e-mail addresses, also where one stands in the wrong column', async () => {
  const desk = await deskOfAnn(db);
  const rows = [
    's-1,ann,10.00,USD,2026-01-10,Kim.Lee@example.com',
    's-2,kim.lee@example.com,20.00,USD,2026-01-10,',
    's-3,ann,30.00,USD,kim.lee@example.com,',
  ];
  const text = `${header},customer_email\n${rows.join('\n')}\n`;
  const outcome = await desk.land('sales', text, { dryRun: true });
  const told = describeImport(paint, { outcome, run: null, kind: 'sales', dryRun: true });
  expect(`${told}${JSON.stringify(outcome.report)}`).not.toMatch(/lee/i);
  expect(outcome.report.preview!.rows.map(({ cells }) => cells.map(({ raw }) => raw))).toEqual([
    ['s-1', 'ann', '10.00', 'USD', '2026-01-10', 'K…@…'],
    ['s-2', 'k…@…', '20.00', 'USD', '2026-01-10', ''],
    ['s-3', 'ann', '30.00', 'USD', 'k…@…', ''],
  ]);
});

test('a file that is not there does not keep secret what became of the others', async () => {
  const run = await payrun(['import', 'affiliates', 'affiliates.csv', 'missing.csv', '--again'], shop);
  expect(run.code).toBe(1);
  expect(run.stdout).toContain('affiliates.csv');
  expect(run.stdout).toContain('There is no such file.');
});

test('a rehearsal of several files says that none of them knows of the others', async () => {
  const place = await openShop(url);
  for (const id of ['m-1', 'm-2']) await writeFile(path.join(place.cwd, `${id}.csv`), csv(id));
  const files = ['import', 'sales', 'm-1.csv', 'm-2.csv'];
  const note = 'Each file was rehearsed by itself';
  expect((await payrun([...files, '--dry-run'], place)).stdout).toContain(note);
  const withOne = await payrun(['import', 'sales', 'm-1.csv', 'missing.csv', '--dry-run'], place);
  expect(withOne.stdout).not.toContain(note);
  const { code, stdout } = await payrun(files, place);
  expect(code).toBe(0);
  expect(stdout).not.toContain(note);
});
