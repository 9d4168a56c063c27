import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { booked } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import { deskOfAnn } from '../ann.ts';

const { db } = await testDatabase();
const mapping = { external_id: 'Nr', affiliate: 'Wer', amount: 'Betrag', occurred_at: 'Tag' };
const positions = { external_id: '#1', affiliate: '#2', amount: '#3', occurred_at: '#4' };
const source = (ref: string, settings: object) => ({
  ref,
  kind: 'sales_csv',
  mapping,
  defaults: { currency: 'USD' },
  ...settings,
});
const point = source('point', { decimal: '.' });
const comma = source('comma', { decimal: ',', id_prefix: 'c:' });
const placed = source('placed', { mapping: positions });
const header = 'Nr;Wer;Betrag;Tag';

test('a file that several sources fit is refused, and the message names them', async () => {
  const desk = await deskOfAnn(db, { sources: [point, comma] });
  const sale = `${header}\nT-1;ann;1,234;2026-03-01\n`;
  await expect(desk.land('sales', sale)).rejects.toMatchObject({
    code: 'file-refused',
    found: '"point", "comma"',
    place: { line: 1 },
  });
  const { totals } = await desk.land('sales', sale.replace('1,234', '1,25'), { source: 'comma' });
  expect(totals).toMatchObject({ USD: { sales: '1.25' } });
});

test('a source that names its columns comes before one that counts them, which fits nearly any file', async () => {
  const desk = await deskOfAnn(db, { sources: [placed, comma] });
  const { report } = await desk.land('sales', `${header}\nT-1;ann;1.234,00;2026-03-01\n`);
  expect(report.layout).toMatchObject({ source: 'comma' });
  const other = await desk.land('sales', 'a;b;c;d\nT-2;ann;10.00;2026-03-01\n');
  expect(other.report.layout).toMatchObject({ source: 'placed' });
});

test.each([
  ['point', 'comma'],
  ['comma', 'point'],
])(
  'rejects are read by the source of the file they came from, whichever stands first: %s, %s',
  async (...refs) => {
    const desk = await deskOfAnn(db, { sources: refs.map((ref) => (ref === 'point' ? point : comma)) });
    const first = await desk.land(
      'sales',
      `${header}\nT-8;ann;1.234,00;2026-03-01\nT-9;xaver;1234,00;2026-03-01\n`,
      {
        source: 'comma',
      },
    );
    await desk.world.affiliate({ ref: 'xaver' });
    const rejects = await readFile(path.join(desk.workspace, first.report.rejects_file!), 'utf8');
    const { report, counts } = await desk.land('sales', rejects, { name: 'corrected.csv' });
    expect(report).toMatchObject({ layout: { source: 'comma' }, rejects_of: first.report.import });
    expect(counts).toMatchObject({ recorded: 1, rejected: 0 });
    expect((await booked(desk.world)).get('c:T-9')).toMatchObject({ amount: 123_400n });
  },
);

test('a file that no source fits is refused with what each of them misses', async () => {
  const desk = await deskOfAnn(db, {
    sources: [source('shop', { defaults: {} }), source('till', { mapping: { ...mapping, amount: 'Summe' } })],
  });
  const refused = desk.land('sales', `${header}\nT-1;ann;1.25;2026-03-01\n`);
  await expect(refused).rejects.toMatchObject({
    code: 'file-refused',
    aside: expect.arrayContaining([
      'source "shop": The file has no column "currency".',
      'source "till": The file has no column "Summe" for amount.',
    ]),
  });
});

test('a column that a source leaves out by name is not read, though it is named as a field is', async () => {
  const desk = await deskOfAnn(db, { sources: [source('shop', { ignore: ['sales_status'] })] });
  const { counts, report } = await desk.land(
    'sales',
    `${header};sales_status\nT-1;ann;1.25;2026-03-01;Paid\n`,
  );
  expect([counts.recorded, report.warnings]).toEqual([1, []]);
});
