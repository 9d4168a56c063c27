import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { type Encoding, encodings } from '../../../src/config-source.ts';
import { readId } from '../../../src/ids.ts';
import { withInputFile } from '../../../src/imports/files/open.ts';
import { readCsv } from '../../../src/imports/files/records.ts';
import { returned } from '../../../src/imports/sales/returned.ts';
import { booked } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import { holds } from '../../support/property.ts';
import { deskOfAnn, header, importsOf } from '../ann.ts';

const { db } = await testDatabase();
const desk = await deskOfAnn(db, {
  sources: [
    { ref: 'plain', kind: 'sales_csv' },
    ...encodings.map((encoding) => ({ ref: encoding, kind: 'sales_csv', encoding })),
  ],
});

const marks: Partial<Record<Encoding, Buffer>> = {
  'utf-8': Buffer.from([0xef, 0xbb, 0xbf]),
  'utf-16le': Buffer.from([0xff, 0xfe]),
  'utf-16be': Buffer.from([0xfe, 0xff]),
};

/** What both Windows-1252 and MacRoman can write, and what CSV, spreadsheets and Payrun give a meaning. */
const letters = [...'abX019é€üñ”…,;|"\'\t\n=+-@. '];
const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 10 });
const row = fc.record({ id: text, note: text, isUnknown: fc.boolean() });
const layout = fc.record({
  encoding: fc.constantFrom(...encodings),
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  hasSeparatorLine: fc.boolean(),
  isMarked: fc.boolean(),
  isStated: fc.boolean(),
});
type Layout = typeof layout extends fc.Arbitrary<infer Value> ? Value : never;

function bytesOf(cells: string[][], style: Layout): Buffer {
  const { encoding, delimiter, isMarked } = style;
  const sep = style.hasSeparatorLine ? `sep=${delimiter}\n` : '';
  const csv = sep + stringify(cells, { delimiter, quoted_match: /[\r\n]/ });
  const written = encoding === 'macroman' ? csv.replaceAll('€', '¤') : csv;
  return Buffer.concat([(isMarked && marks[encoding]) || Buffer.alloc(0), iconv.encode(written, encoding)]);
}

/** The header and cells of a file in the workspace as they were before it was a rejects file. */
async function cellsOf(file: string, stated: Encoding | undefined): Promise<string[][]> {
  return withInputFile(file, new AbortController().signal, async (input) => {
    const { csv } = returned(await readCsv(input.as(stated), undefined));
    const cells = [csv.header];
    for await (const group of csv.groups) cells.push(...group.map((record) => record.cells));
    return cells;
  });
}

test('an id with leading zeros keeps them, whether or not a spreadsheet was in between', async () => {
  const own = await deskOfAnn(db);
  const { report } = await own.land('sales', `${header}\n00123,nobody,1.00,USD,2026-01-10\n`);
  const rejects = await readFile(path.join(own.workspace, report.rejects_file!), 'utf8');
  const fixed = rejects.replace('nobody', 'ann');
  expect((await own.land('sales', fixed)).counts).toMatchObject({ recorded: 1 });
  expect([...(await booked(own.world)).keys()]).toEqual(['00123']);
  // What a spreadsheet saves is the value of the formula.
  const saved = fixed.replace('"=""00123"""', '00123');
  expect((await own.land('sales', saved)).counts).toMatchObject({ duplicates: 1 });
});

describe('the rejects of a file, in whatever encoding and delimiter', () => {
  test('have the cells of its rows, letter for letter, and import completely once they are corrected', async () => {
    let files = 0;
    await holds(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 6 }), layout, async (rows, style) => {
        const prefix = `f${++files}`;
        const head = [...header.split(','), 'note'];
        // The é keeps a file in a single-byte encoding from looking like another one as a whole.
        const cells = rows.map(({ id, note, isUnknown }, index) => [
          `${prefix}-${index}é${id.trim()}.`,
          isUnknown ? 'anne é' : 'ann',
          '1.00',
          'USD',
          '2026-01-10',
          note,
        ]);
        cells.push([`${prefix}-last`, '=nobody', '-1.00', 'USD', '2026-01-10', 'x']);
        const stated = style.isStated || style.encoding === 'macroman' ? style.encoding : undefined;
        const source = { source: stated ?? 'plain' };
        const first = await desk.land('sales', bytesOf([head, ...cells], style), source);
        const bad = [...cells.filter((one) => one[1] === 'anne é'), cells.at(-1)!];
        expect(first.counts).toMatchObject({ rejected: bad.length, recorded: cells.length - bad.length });

        const file = path.join(desk.workspace, first.report.rejects_file!);
        expect(await cellsOf(file, stated)).toEqual([head, ...bad]);
        const raw = await readFile(file);
        const mark = marks[style.encoding];
        if (mark) expect(raw.subarray(0, mark.length)).toEqual(mark);

        const fixed = fixedIn(raw, style.delimiter, style.encoding);
        const second = await desk.land('sales', fixed, source);
        expect(second.counts).toMatchObject({ recorded: bad.length, rejected: 0, rows: bad.length });
        expect(second.report.rejects_of).toBe(first.report.import);
        const known = await booked(desk.world);
        for (const one of cells) expect([...known.keys()]).toContain(one[0]!.normalize('NFC').trim());
      }),
      40,
    );
  });
});

/** A rejects file as a person sends it back: the affiliate and the amount are right now, all else is as it was. */
function fixedIn(raw: Buffer, delimiter: string, encoding: Encoding): Buffer {
  const mark = Object.entries(marks).find(([, bytes]) => raw.subarray(0, bytes.length).equals(bytes));
  const used = mark?.[0] ?? encoding;
  const decoded = iconv.decode(raw, used, { stripBOM: false });
  const separator = /^\ufeff?(?:sep=.\r\n)?/.exec(decoded)![0];
  const rows: string[][] = parse(decoded.slice(separator.length), { delimiter });
  for (const one of rows.slice(1)) [one[1], one[2]] = ['ann', '1.00'];
  return iconv.encode(separator + stringify(rows, { delimiter, quoted_match: /[\r\n]/ }), used);
}

describe('a rejects file that comes back', () => {
  const bad = `${header},note\ns-1,nobody,1.00,USD,2026-01-10,=cmd()\ns-2,ann,1.00,USD\ns-3,ann,x,USD,2026-01-10,'=a\n`;

  async function rejected() {
    const own = await deskOfAnn(db);
    const { report } = await own.land('sales', bad);
    const csv = await readFile(path.join(own.workspace, report.rejects_file!), 'utf8');
    const rows: string[][] = parse(csv, { bom: true, relax_column_count: true });
    return { own, report, rows };
  }

  test('in another encoding, delimiter and order of columns, and filled up, is still known', async () => {
    const { own, report, rows } = await rejected();
    expect(rows.slice(1).map((cells) => cells.at(-6))).toEqual(Array(3).fill(report.import));
    const width = rows[0]!.length;
    const resaved = rows.map((cells) => [...cells, ...Array(width - cells.length).fill('')]);
    resaved[1]![1] = 'ann';
    const saved = iconv.encode(stringify(resaved, { delimiter: ';' }), 'utf-16le', { addBOM: true });
    const again = await own.land('sales', saved);
    // The row with too few cells keeps its fault, though the spreadsheet has filled it up.
    expect(again.counts).toMatchObject({ rows: 3, recorded: 1, rejected: 2 });
    expect(again.report.rejects_of).toBe(report.import);
    expect(again.report.rejected_groups.map(({ code }) => code).sort()).toEqual(['amount-format', 'ragged']);
    const third: string[][] = parse(
      iconv.decode(await readFile(path.join(own.workspace, again.report.rejects_file!)), 'utf-16le'),
      { delimiter: ';', relax_column_count: true },
    );
    expect(third.map((cells) => cells.slice(0, 6))).toEqual([
      [...header.split(','), 'note'],
      ['s-2', 'ann', '1.00', 'USD', again.report.import, '3'],
      ['s-3', 'ann', 'x', 'USD', '2026-01-10', "''=a"],
    ]);

    const moved = third
      .filter((cells) => cells.length === width)
      .map((cells) => [...cells.slice(6), ...cells.slice(0, 6)]);
    moved[1]![8] = '3.00';
    const last = await own.land('sales', stringify(moved));
    expect(last.counts).toMatchObject({ rows: 1, recorded: 1 });
    expect(last.report.rejects_of).toBe(again.report.import);
    const notes = await db.sql
      .selectFrom('conversion')
      .select(['external_id', 'note'])
      .where('account_id', '=', own.world.accountId)
      .orderBy('external_id')
      .execute();
    expect(notes).toEqual([
      { external_id: 's-1', note: '=cmd()' },
      { external_id: 's-3', note: '=a' },
    ]);
  });

  test('without the added columns is known by its name, and by nothing when that says nothing', async () => {
    const { own, report, rows } = await rejected();
    const plain = stringify([rows[0]!.slice(0, 6), ['s-9', 'ann', '9.00', 'USD', '2026-01-10', '']]);
    const named = await own.land('sales', plain, { name: `Kopie von ${report.import} (2).csv` });
    expect(named.report.rejects_of).toBe(report.import);
    const other = await own.land('sales', plain, { name: 'april.csv', again: true });
    expect(other.report.rejects_of).toBeNull();
  });

  test('from another account, of another kind, or of an import that nobody knows, is a file like any other', async () => {
    const { report, rows } = await rejected();
    const stranger = await deskOfAnn(db);
    const fixed = rows.filter((cells) => cells.length > 10);
    for (const cells of fixed.slice(1)) [cells[1], cells[2]] = ['ann', '1.00'];
    const landed = await stranger.land('sales', stringify(fixed), { name: `${report.import}.csv` });
    expect(landed.counts).toMatchObject({ recorded: 2 });
    expect((await importsOf(stranger)).map((one) => one.rejects_of)).toEqual([null]);
    expect(readId(report.import)).toBeDefined();
  });

  test('is read in the style that other rows of the first file have shown', async () => {
    const own = await deskOfAnn(db);
    const text = [header, 's-1;ann;1.234,50;USD;25.01.2026', 's-2;nobody;1,234;USD;03.02.2026'].join('\n');
    const { report } = await own.land(
      'sales',
      `${text.replaceAll(',', (mark, at) => (at < header.length ? ';' : mark))}\n`,
    );
    const rejects = await readFile(path.join(own.workspace, report.rejects_file!), 'utf8');
    const fixed = await own.land('sales', rejects.replace('nobody', 'bob'), { name: 'still wrong.csv' });
    expect(fixed.counts).toMatchObject({ rejected: 1 });
    const again = await readFile(path.join(own.workspace, fixed.report.rejects_file!), 'utf8');
    const landed = await own.land('sales', again.replace('bob', 'ann').replace('1,234', '1,23'));
    expect(landed.totals).toMatchObject({ USD: { sales: '1.23' } });
    const sales = [...(await booked(own.world)).values()];
    expect(sales.map((sale) => sale.occurred_at.toISOString())).toEqual([
      '2026-01-24T23:00:00.000Z',
      '2026-02-02T23:00:00.000Z',
    ]);
  });

  test('a column of one’s own called line or message stays a column like any other', async () => {
    const own = await deskOfAnn(db, {
      sources: [{ ref: 'shop', kind: 'sales_csv', mapping: { note: 'message' } }],
    });
    const text = `line,message,${header}\n7,hello,s-1,nobody,1.00,USD,2026-01-10\n`;
    const first = await own.land('sales', text, { source: 'shop' });
    const file = path.join(own.workspace, first.report.rejects_file!);
    const rejects = await readFile(file, 'utf8');
    expect(rejects.split('\r\n')[0]).toBe(
      `\ufeffline,message,${header},import,line,error,field,message,suggestion`,
    );
    await writeFile(file, rejects.replace('nobody', 'ann'));
    const second = await own.land('sales', await readFile(file), { source: 'shop' });
    expect(second.counts).toMatchObject({ recorded: 1 });
    const sale = await db.sql
      .selectFrom('conversion')
      .select('note')
      .where('account_id', '=', own.world.accountId)
      .executeTakeFirst();
    expect(sale?.note).toBe('hello');
  });
});

describe('a rejects file whose text its encoding can’t hold', () => {
  test('is UTF-8 with a mark, and the report says so', async () => {
    const own = await deskOfAnn(db);
    await own.world.affiliate({ ref: 'Łódź-1' });
    const text = `${header}\né-1,Lódz-1,1.00,USD,2026-01-10\n`;
    const { report } = await own.land('sales', iconv.encode(text, 'windows-1252'));
    const raw = await readFile(path.join(own.workspace, report.rejects_file!));
    expect(raw.subarray(0, 3)).toEqual(marks['utf-8']);
    expect(raw.toString('utf8')).toContain(',Łódź-1\r\n');
    expect(report.warnings.join('\n')).toContain('the rejects file is UTF-8');
  });

  test('or would make it look like another one', async () => {
    const own = await deskOfAnn(db);
    const text = `${header}\né-1,ann,1.00,USD,2026-01-10\nÃ©-2,nobody,1.00,USD,2026-01-10\n`;
    const { report } = await own.land('sales', iconv.encode(text, 'windows-1252'));
    const raw = await readFile(path.join(own.workspace, report.rejects_file!), 'utf8');
    expect(raw.split('\r\n')[1]).toMatch(/^Ã©-2,/);
  });
});
