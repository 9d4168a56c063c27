import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { withInputFile } from '../../../src/imports/files/open.ts';
import { readCsv } from '../../../src/imports/files/records.ts';
import { limitsOf } from '../../../src/limits.ts';
import { referrals } from '../../support/books.ts';
import { testDatabase } from '../../support/database.ts';
import { openDesk } from '../../support/desk.ts';
import { emptyFolder } from '../../support/folder.ts';
import { deskOfAnn } from '../ann.ts';
import { textRow, type WorkbookParts, workbookFile } from './workbook-file.ts';

const { db } = await testDatabase();
const folder = await emptyFolder();

/** Header and rows of a workbook, each row with its line and with a mark at typed cells. */
async function rowsOf(parts: WorkbookParts, sheet?: string | number, limits = {}) {
  const file = path.join(folder, 'sales.xlsx');
  await writeFile(file, workbookFile(parts));
  return withInputFile(
    file,
    new AbortController().signal,
    async (input) => {
      const csv = await readCsv(input.as(undefined, sheet), undefined);
      const rows: (string | number)[][] = [];
      for await (const group of csv.groups)
        for (const { line, cells, typed } of group)
          rows.push([line, ...cells.map((cell, index) => (typed?.[index] ? `${cell}*` : cell))]);
      return [csv.header, ...rows];
    },
    limitsOf(limits),
  );
}

const salesHeader = ['external_id', 'affiliate', 'amount', 'currency', 'occurred_at'];

/** A sheet whose second row holds these cells. */
function withCells(cells: string): WorkbookParts['sheets'] {
  return { Sales: `${textRow(1, ['a', 'b', 'c'])}<row r="2">${cells}</row>` };
}

describe('a cell of a workbook', () => {
  test.each([
    ['text keeps its zeros', '<c r="A2" t="inlineStr"><is><t>00123</t></is></c>', ['00123', '', '']],
    ['a shared text is looked up', '<c r="A2" t="s"><v>1</v></c>', ['two &', '', '']],
    ['a number is typed', '<c r="B2"><v>4.3499999999999996</v></c>', ['', '4.35*', '']],
    [
      'a truth value is typed',
      '<c r="A2" t="b"><v>1</v></c><c r="C2" t="b"><v>0</v></c>',
      ['true*', '', 'false*'],
    ],
    ['a formula is its result', '<c r="A2"><f>1+1</f><v>2</v></c>', ['2*', '', '']],
    ['an error is its text', '<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', ['#DIV/0!', '', '']],
    ['a percentage is shown as one', '<c r="A2" s="1"><v>0.125</v></c>', ['12.5%*', '', '']],
    ['a percent sign in quotes multiplies nothing', '<c r="A2" s="2"><v>0.125</v></c>', ['0.125*', '', '']],
    [
      'a whole number has the leading zeros that are shown',
      '<c r="A2" s="4"><v>123</v></c><c r="B2" s="4"><v>1234567</v></c><c r="C2" s="5"><v>0</v></c>',
      ['000123*', '1234567*', '00*'],
    ],
    [
      'a number that is not whole, or below 0, has none',
      '<c r="A2" s="4"><v>1.5</v></c><c r="B2" s="4"><v>-123</v></c><c r="C2" s="6"><v>123</v></c>',
      ['1.5*', '-123*', '123*'],
    ],
    [
      'a number with text and zeros in its format is what they make of it',
      '<c r="A2" s="7"><v>7</v></c><c r="B2" s="7"><v>12345</v></c><c r="C2" s="8"><v>1234567</v></c>',
      ['INV-0007*', 'INV-12345*', '1234-567*'],
    ],
    [
      'a currency in the format stands beside the number',
      '<c r="A2" s="9"><v>12.5</v></c><c r="B2" s="10"><v>-3</v></c><c r="C2" s="11"><v>1000</v></c>',
      ['12.5 €*', '-3 kr*', '1000 $*'],
    ],
    [
      'other text in the format is only shown',
      '<c r="A2" s="12"><v>14</v></c><c r="B2" s="13"><v>1.5</v></c>',
      ['14*', '1.5*', ''],
    ],
    ['a text in such a cell stays as it is', '<c r="A2" s="4" t="str"><v>123</v></c>', ['123', '', '']],
    ['a date goes by its style', '<c r="A2" s="3"><v>46143</v></c>', ['2026-05-01*', '', '']],
    [
      'a time too, without losing a second',
      '<c r="A2" s="3"><v>46110.1041666667</v></c>',
      ['2026-03-29T02:30:00*', '', ''],
    ],
    [
      'day 60 of 1900 never was, and is none of today',
      '<c r="A2" s="3"><v>60</v></c>',
      ['1900-02-28*', '', ''],
    ],
    [
      'a date stored as text is not shifted',
      '<c r="A2" t="d"><v>2026-05-01T10:30:00</v></c>',
      ['2026-05-01T10:30:00*', '', ''],
    ],
    [
      'cells without an address follow each other',
      '<c><v>1</v></c><c t="inlineStr"><is><t>x</t></is></c>',
      ['1*', 'x', ''],
    ],
    ['single quotes and a prefix are as good', "<x:c r='B2' t='e'><x:v>#REF!</x:v></x:c>", ['', '#REF!', '']],
  ])('%s', async (_, cells, expected) => {
    const formats = [
      ...['0.0%', '0&quot;%&quot;', 'dd\\.mm\\.yyyy\\ hh:mm', '000000', '00', '0'],
      ...[
        '&quot;INV-&quot;0000',
        '000-000',
        '#,##0.00\\ [$€-407]',
        '&quot;kr&quot;\\ #,##0',
        '[$$-409]#,##0.00;[Red]-0',
      ],
      ...['0&quot; days&quot;', '&quot;about &quot;0.0'],
    ];
    const parts = { sheets: withCells(cells), formats, strings: ['one', 'two &amp;'] };
    const rows = await rowsOf(parts);
    expect(rows).toEqual([
      ['a', 'b', 'c'],
      [2, ...expected],
    ]);
  });

  test.each(['1', 'true'])('of a workbook that counts days from 1904 (%s) has its own date', async (said) => {
    const workbookProperties = `<workbookPr date1904="${said}"/>`;
    const sheets = withCells('<c r="A2" s="1"><v>44681</v></c>');
    const rows = await rowsOf({ sheets, formats: ['yyyy-mm-dd'], workbookProperties });
    expect(rows[1]).toEqual([2, '2026-05-01*', '', '']);
  });
});

describe('the rows of a workbook', () => {
  test('keep the numbers that the sheet gives them, empty ones are left out', async () => {
    const sheets = { Sales: textRow(3, ['a', 'b']) + textRow(4, ['1', '2']) + textRow(9, ['3', '4']) };
    expect(await rowsOf({ sheets })).toEqual([
      ['a', 'b'],
      [4, '1', '2'],
      [9, '3', '4'],
    ]);
  });

  test('come from the only sheet that has data, or from the one that is named', async () => {
    const row = (text: string) => textRow(1, ['h']) + textRow(2, [text]);
    const one = { Notes: '<row r="7"><c r="B7" s="0"/></row>', 'A &amp; B': row('x') };
    expect(await rowsOf({ sheets: one })).toEqual([['h'], [2, 'x']]);
    const two = { One: row('1'), Two: row('2') };
    await expect(rowsOf({ sheets: two })).rejects.toThrow(
      'Several sheets of the workbook have data: "One", "Two".',
    );
    expect([await rowsOf({ sheets: two }, 'Two'), await rowsOf({ sheets: two }, 1)]).toEqual([
      [['h'], [2, '2']],
      [['h'], [2, '1']],
    ]);
    await expect(rowsOf({ sheets: two }, 3)).rejects.toThrow('has no sheet number 3; it has "One", "Two"');
  });

  test('come from the only visible sheet that has data; empty ones do not count', async () => {
    const row = (text: string) => textRow(1, ['h']) + textRow(2, [text]);
    const sheets = { Empty: '', Old: row('1'), Sales: row('2') };
    expect(await rowsOf({ sheets, hidden: ['Old'] })).toEqual([['h'], [2, '2']]);
    expect(await rowsOf({ sheets, hidden: ['Old'] }, 'Old')).toEqual([['h'], [2, '1']]);
    await expect(rowsOf({ sheets })).rejects.toThrow(
      'Several sheets of the workbook have data: "Old", "Sales".',
    );
    await expect(rowsOf({ sheets, hidden: ['Empty', 'Old', 'Sales'] })).rejects.toThrow(
      'Several sheets of the workbook have data: "Old" (hidden), "Sales" (hidden).',
    );
    await expect(rowsOf({ sheets: { ...sheets, More: row('3') }, hidden: ['Old'] })).rejects.toThrow(
      'Several sheets of the workbook have data: "Old" (hidden), "Sales", "More".',
    );
  });

  test('are none where no sheet has data, or the one that is named', async () => {
    const sheets = { Empty: '', Sales: textRow(1, ['h']) };
    await expect(rowsOf({ sheets: { Empty: '' } })).rejects.toThrow('No sheet of the workbook has data.');
    await expect(rowsOf({ sheets }, 'Empty')).rejects.toThrow('The sheet that the source names has no data.');
  });

  test('leave a hidden sheet out with a warning', async () => {
    const desk = await deskOfAnn(db);
    const row = (id: string) =>
      textRow(1, salesHeader) + textRow(2, [id, 'ann', '5.00', 'USD', '2026-02-01']);
    const file = workbookFile({
      sheets: { Sales: row('s-1'), 'Last year': row('s-2') },
      hidden: ['Last year'],
    });
    const { counts, report } = await desk.land('sales', file);
    expect(counts).toMatchObject({ rows: 1, recorded: 1 });
    expect(report.warnings).toEqual([
      'the sheet "Last year" is hidden and was left out; to import it, save it as a workbook of its own',
    ]);
    const people = (ref: string) => textRow(1, ['ref', 'name']) + textRow(2, [ref, 'Joe']);
    const hires = workbookFile({ sheets: { Now: people('joe'), Then: people('jim') }, hidden: ['Then'] });
    expect((await desk.land('affiliates', hires)).report.warnings).toEqual([
      expect.stringContaining('the sheet "Then" is hidden and was left out'),
    ]);
  });

  test.each<[string, string, Record<string, number>, string]>([
    [
      'a row beyond Excel’s last',
      '<row r="4000000000"><c r="A4000000000"><v>1</v></c></row>',
      {},
      'is damaged',
    ],
    ['a column beyond Excel’s last', '<row r="2"><c r="ZZZZ2"><v>1</v></c></row>', {}, 'is damaged'],
    [
      'a cell that stands in another row than it says',
      '<row r="2"><c r="A9"><v>1</v></c></row>',
      {},
      'is damaged',
    ],
    [
      'a single cell in the farthest corner',
      '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
      { workbook_rows: 2_000_000 },
      'too large to be read at once',
    ],
    [
      'more rows than the limit',
      textRow(5, ['x']),
      { workbook_rows: 4 },
      'The sheet has 5 rows; of a workbook at most 4 are read.',
    ],
    [
      'more bytes than the limit',
      textRow(2, ['x'.repeat(500)]),
      { workbook_bytes: 900 },
      'more than 900 bytes unpacked',
    ],
    [
      'a cell longer than the limit',
      textRow(2, ['x'.repeat(30)]),
      { field_length: 29 },
      'Cell 1 of this record has more than 29 characters.',
    ],
    ['more records than the limit', textRow(2, ['x']) + textRow(3, ['x']), { rows: 1 }, 'more than 1 rows'],
  ])('are refused for %s, before it fills the memory', async (_, rows, limits, sentence) => {
    const sheets = { Sales: textRow(1, ['a']) + rows };
    await expect(rowsOf({ sheets }, undefined, limits)).rejects.toMatchObject({
      code: 'file-refused',
      message: expect.stringContaining(sentence),
    });
  });

  test('may end in styled cells that hold nothing, however far down', async () => {
    const sheets = {
      Sales: `${textRow(1, ['a'])}${textRow(2, ['x'])}<row r="1048576"><c r="XFD1048576" s="0"/></row>`,
    };
    expect(await rowsOf({ sheets })).toEqual([['a'], [2, 'x']]);
  });
});

test('a sale is the same one from a workbook that shows its id with leading zeros and from a CSV of that sheet', async () => {
  const desk = await deskOfAnn(db);
  const header = [...salesHeader, 'hold_days'];
  const typed = (value: number, style: number) => `<c s="${style}"><v>${value}</v></c>`;
  const text = (said: string) => `<c t="inlineStr"><is><t>${said}</t></is></c>`;
  const cells = typed(123, 1) + text('ann') + typed(7, 1) + text('USD') + typed(46143, 2) + typed(14, 1);
  const file = workbookFile({
    sheets: { Sales: `${textRow(1, header)}<row r="2">${cells}</row>` },
    formats: ['000000', 'yyyy-mm-dd'],
  });
  const first = await desk.land('sales', file);
  expect([first.counts, first.totals]).toMatchObject([{ rows: 1, recorded: 1 }, { USD: { sales: '7.00' } }]);
  const csv = `${header.join()}\n000123,ann,000007,USD,2026-05-01,000014\n`;
  expect((await desk.land('sales', csv)).counts).toMatchObject({ rows: 1, duplicates: 1 });
});

describe('a workbook from LibreOffice', () => {
  const real = (name: string) => readFile(new URL(`../../../fixtures/workbooks/${name}`, import.meta.url));

  test('of affiliates is imported, with percentages as they are shown', async () => {
    const desk = await openDesk(db);
    const { counts } = await desk.land('affiliates', await real('affiliates.xlsx'));
    expect(counts).toMatchObject({ rows: 3, recorded: 3 });
    const rows = await db.sql
      .selectFrom('affiliate')
      .select(['ref', 'short_code', 'override_ppm'])
      .where('account_id', '=', desk.world.accountId)
      .orderBy('ref')
      .execute();
    expect(rows).toEqual([
      { ref: '1007', short_code: null, override_ppm: 300_000 },
      { ref: 'fay', short_code: '00042', override_ppm: 125_000 },
      { ref: 'hal', short_code: null, override_ppm: 150_000 },
    ]);
  });

  test('of referrals is imported, with their dates', async () => {
    const desk = await deskOfAnn(db);
    const { counts } = await desk.land('referrals', await real('referrals.xlsx'));
    expect(counts).toMatchObject({ rows: 2, recorded: 2 });
    const known = (await referrals(desk.world)).map((row) => [row.customer_id, row.created_at.toISOString()]);
    expect(known.sort()).toEqual([
      ['000815', '2026-05-01T06:00:00.000Z'],
      ['4711', '2026-05-01T22:00:00.000Z'],
    ]);
  });

  test('is no event log, and says so', async () => {
    const desk = await deskOfAnn(db);
    await expect(desk.land('events', await real('referrals.xlsx'))).rejects.toMatchObject({
      code: 'file-refused',
      message: 'This is an Excel workbook, not a log with one JSON object a line.',
    });
  });
});
