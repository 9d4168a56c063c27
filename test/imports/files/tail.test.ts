import { expect, test } from 'vitest';
import { testDatabase } from '../../support/database.ts';
import { deskOfAnn, header } from '../ann.ts';

const { db } = await testDatabase();
const desk = await deskOfAnn(db);
let files = 0;

/** A file of one sale of 5.00, and below it a row with a label and an amount. */
function labelled(label: string, amount: string): string {
  files += 1;
  return `${header}\ns-${files},ann,5.00,USD,2026-01-10\n${label},,${amount},,\n`;
}

test.each([
  'Total',
  'Grand total:',
  'TOTAL AMOUNT',
  'Gesamtsumme (EUR)',
  'Insgesamt',
  'Montant total',
  'Total général',
  'Total general',
  'Importe total',
  'Totale complessivo',
  'Somma',
  'Total geral',
  'Soma',
  'Eindtotaal',
  'Totalt',
  'Summa USD',
  'I alt',
  'Yhteensä',
  'Łącznie',
  'Ogółem',
  'ogółem'.normalize('NFD'),
  'Suma końcowa',
  'Итого',
  '合計',
  '総計',
  '總計：',
])('a row below the others that is called %s is one of totals, and held against them', async (label) => {
  const { counts, report } = await desk.land('sales', labelled(label, '5.00'));
  expect(counts).toMatchObject({ rows: 2, recorded: 1, ignored: 1 });
  expect(report.warnings).toEqual(['the totals in line 3 agree with the rows']);
  await expect(desk.land('sales', labelled(label, '6.00'))).rejects.toThrow(
    'The totals row does not agree with the 1 row above it: it says 6.00 USD, the row comes to 5.00, which is 1.00 less.',
  );
});

test.each(['Totally', 'Summary', 'Total-7', 'somma-1', 'i altro'])(
  'a row that is called %s is one of sales',
  async (id) => {
    const { counts } = await desk.land('sales', labelled(id, '5.00'));
    expect(counts).toMatchObject({ rows: 2, recorded: 1, rejected: 1 });
  },
);
