import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../../support/database.ts';
import { deskOfAnn } from '../ann.ts';
import { textRow, workbookFile } from '../files/workbook-file.ts';

const { db } = await testDatabase();

describe('rejects of a workbook are a CSV in the style of its source, which imports again as it is', () => {
  const header = ['external_id', 'affiliate', 'amount', 'occurred_at'];
  const text = (said: string) => `<c t="inlineStr"><is><t>${said}</t></is></c>`;
  const number = (value: number, style = 0) => `<c s="${style}"><v>${value}</v></c>`;
  const row = (line: number, amount: string, when: string) =>
    `<row r="${line}">${number(line)}${text('nobody')}${amount}${when}</row>`;

  /** Imports rows whose affiliate is unknown, then their rejects with another affiliate and nothing else changed. */
  async function correct(rows: string[], settings: Record<string, unknown>) {
    const desk = await deskOfAnn(db, {
      sources: [{ ref: 'excel', kind: 'sales_csv', defaults: { currency: 'JOD' }, ...settings }],
      rates: ['JOD,USD,2026-05-01,1,test'],
    });
    const sheets = { Sales: textRow(1, header) + rows.join('') };
    const file = workbookFile({ sheets, formats: ['yyyy-mm-dd hh:mm:ss'] });
    const { report, counts } = await desk.land('sales', file, { source: 'excel' });
    expect(counts.rejected).toBe(rows.length);
    const rejects = await readFile(path.join(desk.workspace, report.rejects_file!), 'utf8');
    const name = path.basename(report.rejects_file!);
    const options = { source: 'excel', name };
    const corrected = await desk.land('sales', rejects.replaceAll('nobody', 'ann'), options);
    expect(corrected.counts).toMatchObject({ rows: rows.length, recorded: rows.length });
    const sales = await db.sql
      .selectFrom('conversion')
      .select(['amount', 'occurred_at'])
      .where('account_id', '=', desk.world.accountId)
      .orderBy('external_id')
      .execute();
    return {
      cells: rejects.split('\r\n').flatMap((line) => line.split(/.nobody./)[1]?.split(/.imp_/)[0] ?? []),
      sales: sales.map((sale) => [String(sale.amount), sale.occurred_at.toISOString()]),
    };
  }
  const [atTen, later, midnight] = [46143.4375, 46143.937511574, 46143];

  test.each<[string, Record<string, unknown>, [string, string, string]]>([
    [
      'decimal comma and pattern',
      { decimal: ',', date_format: 'DD.MM.YYYY HH:mm' },
      ['"1,5",01.05.2026 10:30', '"1,5",2026-05-01T22:30:01', '"1,5",01.05.2026 00:00'],
    ],
    [
      'its delimiter',
      { delimiter: ';', decimal: ',', date_format: 'YYYY-MM-DD' },
      ['1,5;2026-05-01T10:30:00', '1,5;2026-05-01T22:30:01', '1,5;2026-05-01'],
    ],
    [
      'hours of half a day',
      { delimiter: '\t', date_format: 'MM/DD/YYYY hh:mm:ss A' },
      ['1.5\t05/01/2026 10:30:00 AM', '1.5\t05/01/2026 10:30:01 PM', '1.5\t05/01/2026 12:00:00 AM'],
    ],
    [
      'days that a spreadsheet counts',
      { delimiter: ';', date_format: 'excel_serial' },
      ['1.5;46143.437500000', '1.5;46143.937511574', '1.5;46143'],
    ],
    ['nothing stated', {}, ['1.5,2026-05-01T10:30:00', '1.5,2026-05-01T22:30:01', '1.5,2026-05-01']],
  ])('with %s', async (_, settings, expected) => {
    const whens = [atTen, later, midnight];
    const rows = whens.map((when, index) => row(index + 2, number(1.5), number(when, 1)));
    const { cells, sales } = await correct(rows, settings);
    expect(cells).toEqual(expected);
    expect(sales).toEqual([
      ['1500', '2026-05-01T08:30:00.000Z'],
      ['1500', '2026-05-01T20:30:01.000Z'],
      ['1500', '2026-04-30T22:00:00.000Z'],
    ]);
  });

  test('with the decimal mark that texts of the column have', async () => {
    const rows = [row(2, text('2,5'), number(atTen, 1)), row(3, number(1.234), number(atTen, 1))];
    const { cells, sales } = await correct(rows, {});
    expect(cells).toEqual(['"2,5",2026-05-01T10:30:00', '"1,234",2026-05-01T10:30:00']);
    expect(sales.map(([amount]) => amount)).toEqual(['2500', '1234']);
  });

  test('with amounts that can be nothing else where no mark is known', async () => {
    const { cells, sales } = await correct([row(2, number(1.234), number(midnight, 1))], {});
    expect(cells).toEqual(['1.2340,2026-05-01']);
    expect(sales.map(([amount]) => amount)).toEqual(['1234']);
  });
});
