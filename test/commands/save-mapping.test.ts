import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { checkConfig } from '../../src/config.ts';
import { testDatabase } from '../support/database.ts';
import { emptyFolder } from '../support/folder.ts';
import { type Place, payrun, payrunJson } from './payrun.ts';

const file = `Rechnungsnr.;Partner-Nr;Nettobetrag;Steuer;Datum;Kunden-E-Mail
1001;ann;234,50;44,56;10.01.2026 14:00;kim@example.com
1002;;100,00;19,00;11.01.2026 09:30;kim@example.com
`;

let url: string;

beforeAll(async () => {
  url = (await testDatabase()).url;
});

/** A workspace that knows Ann, with `sources` as they stand in its payrun.json, and the file. */
async function desk(ref: string, sources: string): Promise<Place & { config: string }> {
  const cwd = await emptyFolder();
  const config = path.join(cwd, 'payrun.json');
  await writeFile(
    config,
    `// Our books.
{
  "accounts": [
    { "ref": "${ref}", "name": "Acme Inc.", // not Acme Ltd.
      "programs": [{ "ref": "main", "name": "Partners",   "currency": "EUR", "timezone": "Europe/Berlin", "commission": { "percent": "20" } }]${sources}
    },
  ]
}
`,
  );
  const place = { cwd, url };
  await payrunJson(['apply'], place);
  await writeFile(path.join(cwd, 'people.csv'), 'ref,name\nann,Ann\n');
  await payrunJson(['import', 'affiliates', 'people.csv'], place);
  await writeFile(path.join(cwd, 'sales.csv'), file);
  return { ...place, config };
}

const save = ['import', 'sales', 'sales.csv', '--save-mapping', 'erp', '--map', 'amount=Nettobetrag'];

test('an unknown file is refused with a proposal that shows no e-mail address and is not stored', async () => {
  const place = await desk('proposal', '');
  const { code, stdout, stderr } = await payrun(['import', 'sales', 'sales.csv'], place);
  expect([code, stdout]).toEqual([1, '']);
  const [, table] = /found: .*\n((?: {4}.*\n)*) {2}to do: .*--save-mapping/.exec(stderr) ?? [];
  expect(table?.split('\n').map((line) => line.trim())).toEqual([
    'column         field           first value       in the file',
    'Rechnungsnr.   external_id     1001',
    'Partner-Nr     affiliate       ann',
    'Nettobetrag    amount?         234,50            sum 334.50',
    'Steuer         amount?         44,56             sum 63.56',
    'Datum          occurred_at     10.01.2026 14:00',
    'Kunden-E-Mail  customer_email  (not shown)',
    'with date_format "DD.MM.YYYY HH:mm"; currency EUR, the programme\'s',
    'still open: which of "Nettobetrag", "Steuer" is amount',
    '',
  ]);
  expect(stderr).not.toContain('kim@');
  expect(stderr.split('\n').filter((line) => line.includes('run failed'))).not.toContainEqual(
    expect.stringContaining('234,50'),
  );
  expect(JSON.stringify(await payrunJson(['runs', 'list'], place))).not.toContain('234,50');
});

test.each([
  ['no sources', ''],
  ['an empty list of them', ',\n      "sources": [ /* none yet */ ]'],
  [
    'others, and a comma behind the last',
    ',\n      "sources": [\n        // the old one\n        { "ref": "old", "kind": "sales_csv", "program": "main", "mapping": { "external_id": "Nr" } }, // keep\n      ]',
  ],
])(
  'a mapping that is accepted goes into payrun.json, which stays as it was otherwise: %s',
  async (name, sources) => {
    const place = await desk(`saved-${name.length}`, sources);
    const before = await readFile(place.config, 'utf8');
    expect(await payrunJson([...save, '--dry-run'], place)).toMatchObject({ recorded: 2, dry_run: true });
    expect(await readFile(place.config, 'utf8')).toBe(before);
    expect(await payrunJson(save, place)).toMatchObject({
      recorded: 2,
      layout: { source: 'erp' },
      totals: { EUR: { sales: '334.50' } },
    });
    const after = await readFile(place.config, 'utf8');
    expect(withoutInsertion(after, before)).toBe(true);
    const read = checkConfig(after);
    expect('config' in read && read.config.accounts[0]!.sources.map((source) => source.ref)).toContain('erp');
    expect(await payrunJson(['apply'], place)).toMatchObject({ changes: [] });
    await writeFile(path.join(place.cwd, 'more.csv'), file.replaceAll('100', '200'));
    expect(await payrunJson(['import', 'sales', 'more.csv'], place)).toMatchObject({
      recorded: 2,
      layout: { source: 'erp', preset: null, why: 'the header has its columns' },
    });
  },
);

/** Whether `after` is `before` with one piece put in, spaces apart. */
function withoutInsertion(after: string, before: string): boolean {
  const [long, short] = [after.replace(/\s/g, ''), before.replace(/\s/g, '')];
  let same = 0;
  while (same < short.length && long[same] === short[same]) same += 1;
  return long.length > short.length && long.endsWith(short.slice(same));
}

test('nothing is saved of a proposal with gaps, under a name that is taken or none, or for a file that is known', async () => {
  const place = await desk(
    'gaps',
    ',\n      "sources": [{ "ref": "old", "kind": "sales_csv", "program": "main", "mapping": { "external_id": "Nr" } }]',
  );
  const before = await readFile(place.config, 'utf8');
  const tried = async (text: string, ref = 'erp', ...more: string[]) => {
    await writeFile(path.join(place.cwd, 'tried.csv'), text);
    const args = ['import', 'sales', 'tried.csv', '--save-mapping', ref, ...more];
    const run = await payrun(args, place);
    return [run.code, run.stderr] as const;
  };
  expect(await tried(file.replace('Steuer', 'Gesamt'))).toEqual([
    1,
    expect.stringContaining('still open: which of "Nettobetrag", "Gesamt" is amount'),
  ]);
  expect(await tried(file.replace('Datum', 'Wann').replaceAll('2026 ', '2026, '))).toEqual([
    1,
    expect.stringContaining('still open: a column for occurred_at'),
  ]);
  const amount = ['--map', 'amount=Nettobetrag'];
  expect(await tried(file, 'erp', '--map', 'amount=Netto')).toEqual([
    2,
    expect.stringContaining('The file has no column "Netto"'),
  ]);
  expect(await tried(file, 'erp', '--map', 'betrag=Nettobetrag')).toEqual([
    2,
    expect.stringContaining('maps no field of such a file'),
  ]);
  expect(await tried(file, 'erp', ...amount, '--map', 'amount=Steuer')).toEqual([
    2,
    expect.stringContaining('The field amount is mapped twice'),
  ]);
  expect(await tried(file, 'old')).toEqual([2, expect.stringContaining('has a source "old" already')]);
  expect(await tried(file, 'a b', ...amount)).toEqual([
    2,
    expect.stringContaining('can\'t hold a source "a b"'),
  ]);
  expect(await tried(file, 'erp', 'sales.csv')).toEqual([2, expect.stringContaining('for one file')]);
  expect(await tried('external_id,affiliate,amount,currency,occurred_at\n')).toEqual([
    2,
    expect.stringContaining('understood as it is'),
  ]);
  expect(await readFile(place.config, 'utf8')).toBe(before);
});

const exports: [name: string, file: string, choice: string[], ends: Record<string, unknown>][] = [
  [
    'a status',
    'Order ID,Affiliate,Date,Amount,Currency,Status\nS-1,ann,2026-09-01,100.00,EUR,Paid\nS-2,ann,2026-09-02,50.00,EUR,Refunded\n',
    ['--ignore', 'status'],
    { ignore: ['status'], asks: '"Status" (Paid 1, Refunded 1) may say which rows count' },
  ],
  [
    'a type',
    'Transaction ID,Type,Affiliate,Date,Amount\nT-1,Sale,ann,2026-09-01,100.00\nT-2,Refund,ann,2026-09-02,100.00\n',
    ['--ignore', '#2'],
    { ignore: ['#2'], asks: '"Type" (Refund 1, Sale 1) may say what kind each row is' },
  ],
  [
    'a fee',
    'Order ID,Affiliate,Date,Gross,Fee,Net\nG-1,ann,2026-09-01,"1,000.00",-3.20,996.80\nG-2,ann,2026-09-02,50.00,-1.75,48.25\n',
    ['--map', 'amount=Gross'],
    { ignore: ['Fee', 'Net'], asks: 'Gross      amount?      1,000.00     sum 1,050.00' },
  ],
];

test.each(exports)(
  'a proposal asks about %s, accepts nothing before, and keeps what was left out in the source',
  async (name, text, choice, { ignore, asks }) => {
    const place = await desk(`asks-${name.replace(' ', '-')}`, '');
    await writeFile(path.join(place.cwd, 'export.csv'), text);
    const args = ['import', 'sales', 'export.csv', '--save-mapping', 'shop'];
    const before = await readFile(place.config, 'utf8');
    const asked = await payrun(args, place);
    expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining(asks as string)]);
    expect(asked.stderr).toContain('--map');
    expect(await readFile(place.config, 'utf8')).toBe(before);
    expect(await payrunJson([...args, ...choice], place)).toMatchObject({ recorded: 2 });
    const read = checkConfig(await readFile(place.config, 'utf8'));
    expect('config' in read && read.config.accounts[0]!.sources[0]).toMatchObject({ ref: 'shop', ignore });
  },
);

test('a source made by hand that drops a status is warned of: in the preview, after the import, and by check', async () => {
  const mapping = '"external_id": "#1", "affiliate": "#2", "occurred_at": "#3", "amount": "#4"';
  const defaults = '"currency": "EUR"';
  const place = await desk(
    'by-hand',
    `,\n "sources": [{ "ref": "shop", "kind": "sales_csv", "program": "main", "mapping": { ${mapping} }, "defaults": { ${defaults} } }]`,
  );
  const text =
    'No,Who,When,Sum,Status,Fee\nS-1,ann,2026-09-01,100.00,Paid,3.00\nS-2,ann,2026-09-02,50.00,Failed,1.50\n';
  await mkdir(path.join(place.cwd, 'inbox/shop'), { recursive: true });
  await writeFile(path.join(place.cwd, 'inbox/shop/s.csv'), text);
  const status =
    'the column "Status" is not used, and looks like a status that may decide what a row means: Failed 1, Paid 1';
  const { findings } = (await payrunJson(['check'], place)) as { findings: unknown[] };
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'inbox',
      message: expect.stringContaining(`inbox/shop/s.csv: ${status}`),
    }),
  );
  const args = ['import', 'sales', 'inbox/shop/s.csv', '--source', 'shop'];
  const { preview } = (await payrunJson([...args, '--dry-run'], place)) as { preview: { not_used: unknown } };
  expect(preview.not_used).toEqual([
    {
      column: 'Status',
      looks_like: 'status',
      values: [
        { value: 'Failed', rows: 1 },
        { value: 'Paid', rows: 1 },
      ],
      summary: 'Failed 1, Paid 1',
    },
    { column: 'Fee', looks_like: 'amount', values: [], summary: 'sum 4.50' },
  ]);
  expect(await payrunJson(args, place)).toMatchObject({ warnings: [expect.stringContaining(status)] });
});
