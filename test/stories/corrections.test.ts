import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import iconv from 'iconv-lite';
import { expect, test } from 'vitest';
import { payrun, payrunJson } from '../commands/payrun.ts';
import { openShop, type Shop } from '../commands/shop.ts';
import { testDatabase } from '../support/database.ts';

const { url } = await testDatabase();

/** A German export: Windows-1252, semicolons, a `sep=` line; three rows to correct, one known sale with another amount. */
const april = `sep=;
external_id;affiliate;amount;currency;occurred_at;note
APR-1;ada;100.00;USD;2026-02-01;für März
APR-2;adaa;200.00;USD;2026-02-02;"=HYPERLINK(""http://x"")"
APR-3;bob;x;USD;2026-02-03;"Größe ""L"";
zwei Zeilen"
APR-4;cyd;400.00;usd.;2026-02-04;-5.00
INV-3;bob;120.00;USD;2026-01-11T12:00:00Z;
`;

interface Landed {
  import: string;
  rejects_file: string;
  rejects_of: string | null;
  recorded: number;
  rejected: number;
  conflicts: number;
  duplicates: number;
}

async function land(
  shop: Shop,
  name: string,
  bytes: Buffer,
  code: number,
  more: string[] = [],
): Promise<Landed> {
  await writeFile(path.join(shop.cwd, name), bytes);
  return (await payrunJson(['import', 'sales', name, ...more], shop, code)) as Landed;
}

/** The bytes as a spreadsheet program saves them anew: tabs, UTF-16 with its mark, every cell in quotes, LF. */
function resaved(rows: string[][]): Buffer {
  const text = stringify(rows, { delimiter: '\t', quoted: true, record_delimiter: '\n' });
  return iconv.encode(text, 'utf-16le', { addBOM: true });
}

test('faults and conflicts of a file are corrected in its rejects file, saved by a spreadsheet, until all is recorded', async () => {
  const shop = await openShop(url);
  const first = await land(shop, 'april.csv', iconv.encode(april, 'windows-1252'), 3);
  expect(first).toMatchObject({ recorded: 1, rejected: 3, conflicts: 1, rejects_of: null });

  const raw = await readFile(path.join(shop.cwd, first.rejects_file));
  const opened = iconv.decode(raw, 'windows-1252');
  expect(opened.split('\r\n').slice(0, 2)).toEqual([
    'sep=;',
    'external_id;affiliate;amount;currency;occurred_at;note;import;line;error;field;message;suggestion',
  ]);
  const rows: string[][] = parse(opened.slice(opened.indexOf('\n') + 1), { delimiter: ';' });
  expect(rows.map((cells) => [cells[5], cells[7], cells[8], cells[11]])).toEqual([
    ['note', 'line', 'error', 'suggestion'],
    [`'=HYPERLINK("http://x")`, '4', 'affiliate-unknown', 'ada'],
    ['Größe "L";\nzwei Zeilen', '5', 'amount-format', ''],
    ['-5.00', '7', 'currency-unknown', 'USD'],
  ]);

  rows[1]![1] = 'ada';
  rows[3]![3] = rows[3]![11]!;
  const second = await land(shop, 'from-excel.txt', resaved(rows), 3);
  expect(second).toMatchObject({ recorded: 2, rejected: 1, rejects_of: first.import });

  const left = iconv.decode(await readFile(path.join(shop.cwd, second.rejects_file)), 'utf-16le');
  const again: string[][] = parse(left, { delimiter: '\t' });
  // The line is that of the file just read.
  expect([again[1]![6], again[1]![7]]).toEqual([second.import, '3']);
  again[1]![2] = '300.00';
  const third = await land(shop, 'rest.csv', Buffer.from(stringify(again, { delimiter: ',' })), 0);
  expect(third).toMatchObject({ recorded: 1, rejected: 0, rejects_of: second.import });

  await importsAreExplained(shop, [first, second, third]);
  await conflictIsDecidedOnce(shop);
  const whole = await land(shop, 'april.csv', iconv.encode(april, 'windows-1252'), 3, ['--again']);
  expect(whole).toMatchObject({ recorded: 0, duplicates: 2, conflicts: 0, rejected: 3 });
  expect((await payrun(['audit'], shop)).code).toBe(0);
});

async function importsAreExplained(shop: Shop, [first, second, third]: Landed[]): Promise<void> {
  const list = await payrun(['imports', 'list'], shop);
  expect(list.stdout.split('\n').every((line) => line.length <= 100)).toBe(true);
  const newest = [...list.stdout.matchAll(/^(imp_\w+)/gm)].map((match) => match[1]);
  expect(newest.slice(0, 3)).toEqual([third!.import, second!.import, first!.import]);
  expect(list.stdout).toContain('5 rows: 1 recorded, 1 conflict, 3 rejected');

  const shown = await payrun(['imports', 'show', second!.import], shop);
  for (const part of [
    'from-excel.txt',
    `it is rejects of  ${first!.import}`,
    `came back as  ${third!.import}`,
  ])
    expect(shown.stdout).toContain(part);
  expect(shown.stdout).toContain('"x" is no amount');
  expect(shown.stdout).toContain(`They are in ${second!.rejects_file}`);
  await rm(path.join(shop.cwd, second!.rejects_file));
  const gone = await payrun(['imports', 'show', second!.import.toUpperCase()], shop);
  expect(gone.stdout).toContain('which is no longer there');
  expect(await payrunJson(['imports', 'show', first!.import], shop)).toMatchObject({
    rejects_file_exists: true,
    totals: { USD: { sales: '100.00' } },
    conflicts: { open: 1, rows: [{ external_id: 'INV-3' }] },
    came_back_as: [{ import: second!.import }],
    rejected_groups: expect.arrayContaining([expect.objectContaining({ code: 'amount-format', rows: 1 })]),
  });
  expect(await payrun(['imports', 'show', 'run_00000000000000000000000000'], shop)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('This is not the id of an import.'),
  });
  expect(await payrun(['imports', 'show', 'imp_00000000000000000000000000'], shop)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('payrun imports list'),
  });
}

async function conflictIsDecidedOnce(shop: Shop): Promise<void> {
  const [conflict] = (await payrunJson(['conflicts', 'list'], shop)) as { conflict: string }[];
  const id = conflict!.conflict;
  const list = await payrun(['conflicts', 'list'], shop);
  expect(list.stdout).toContain('amount: 100.00 is recorded, 120.00 came again');
  expect(list.stdout).toContain('came again in april.csv:8');
  const shown = await payrun(['conflicts', 'show', id], shop);
  expect(shown.stdout).toMatch(/amount +100\.00 +120\.00 +differs/);
  expect(shown.stdout).toMatch(/recorded +sales\.csv:4, .*imp_/);
  expect(shown.stdout).toMatch(/came again +april\.csv:8, .*imp_/);
  expect(shown.stdout).toMatch(/commission +20\.00 USD, pending/);

  const keep = ['conflicts', 'keep', id, '--by', 'Ada', '--reason', 'typo'];
  expect((await payrun([...keep, '--dry-run'], shop)).code).toBe(0);
  expect(await payrunJson(['conflicts', 'list'], shop)).toHaveLength(1);
  expect(await payrunJson(keep, shop)).toMatchObject({ counts: { kept: 1 } });
  expect(await payrunJson(['conflicts', 'list'], shop)).toEqual([]);
  expect(await payrunJson(['conflicts', 'list', '--all'], shop)).toMatchObject([
    { conflict: id, status: 'kept', decided_by: 'Ada', reason: 'typo' },
  ]);
  const twice = await payrun(keep, shop);
  expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining('kept by Ada') });
}
