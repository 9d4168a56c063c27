import { readFile, writeFile } from 'node:fs/promises';
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

const save = ['import', 'sales', 'sales.csv', '--save-mapping', 'erp'];

test('an unknown file is refused with a proposal that shows no e-mail address and is not stored', async () => {
  const place = await desk('proposal', '');
  const { code, stdout, stderr } = await payrun(['import', 'sales', 'sales.csv'], place);
  expect([code, stdout]).toEqual([1, '']);
  const [, table] = /found: .*\n((?: {4}.*\n)*) {2}to do: .*--save-mapping/.exec(stderr) ?? [];
  expect(table?.split('\n').map((line) => line.trim())).toEqual([
    'column         field           first value',
    'Rechnungsnr.   external_id     1001',
    'Partner-Nr     affiliate       ann',
    'Nettobetrag    amount          234,50',
    'Datum          occurred_at     10.01.2026 14:00',
    'Kunden-E-Mail  customer_email  (not shown)',
    'with decimal ","; date_format "DD.MM.YYYY HH:mm"; currency EUR, the programme\'s',
    'not used: "Steuer"',
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
    const run = await payrun(['import', 'sales', 'tried.csv', '--save-mapping', ref, ...more], place);
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
  expect(await tried(file, 'old')).toEqual([2, expect.stringContaining('has a source "old" already')]);
  expect(await tried(file, 'a b')).toEqual([2, expect.stringContaining('can\'t hold a source "a b"')]);
  expect(await tried(file, 'erp', 'sales.csv')).toEqual([2, expect.stringContaining('for one file')]);
  expect(await tried('external_id,affiliate,amount,currency,occurred_at\n')).toEqual([
    2,
    expect.stringContaining('understood as it is'),
  ]);
  expect(await readFile(place.config, 'utf8')).toBe(before);
});
