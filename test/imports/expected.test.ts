import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readExpected } from '../../src/imports/import.ts';
import { booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { deskOfAnn, three } from './ann.ts';

const { db } = await testDatabase();

test('a file that agrees with its control totals lands, whatever becomes of its rows', async () => {
  const desk = await deskOfAnn(db);
  const expected = readExpected('3', ['usd=300.00'])!;
  expect((await desk.land('sales', three, { expected })).counts).toMatchObject({ recorded: 2, rejected: 1 });
});

test('a row with a cell too few counts as one of the file, also in a known export', async () => {
  const desk = await deskOfAnn(db);
  const file = (await readFile('fixtures/imports/paypal-activity-gap.csv', 'utf8')).replace(
    ',"Credit"\r\n',
    '\r\n',
  );
  const expected = readExpected('4', [])!;
  expect((await desk.land('sales', file, { expected })).counts).toMatchObject({
    rows: 4,
    rejected: 1,
    ignored: 3,
  });
});

test.each<[ReturnType<typeof readExpected>, string, string?]>([
  [readExpected('4', []), 'The file has 3 rows, which is 1 fewer than the 4 expected.'],
  [
    readExpected(undefined, ['USD=299.99']),
    'The file has amounts of 300.00 USD, which is 0.01 more than the 299.99 expected.',
  ],
  [
    readExpected('2', ['USD=300', 'EUR=5']),
    'The file has 3 rows, which is 1 more than the 2 expected, and amounts of 0.00 EUR, which is 5.00 less than the 5.00 expected.',
  ],
  [
    readExpected(undefined, ['USD=1200300.000', 'JPY=-1500']),
    'The file has amounts of 300.00 USD, which is 1,200,000.00 less than the 1,200,300.00 expected, and amounts of 0 JPY, which is 1,500 more than the -1,500 expected.',
  ],
  [
    readExpected(undefined, ['USD=299.99']),
    'The file has amounts of 300.00 USD, which is 0.01 more than the 299.99 expected. Of 1 of its rows no amount can be read.',
    `${three}s-4,ann,x,USD,2026-01-10\n`,
  ],
  [
    readExpected('3', []),
    'The file has 4 rows, which is 1 more than the 3 expected.',
    `${three}s-4,ann,x,USD,2026-01-10\n`,
  ],
])(
  'a file that does not is refused, and the message says by how much',
  async (expected, message, file = three) => {
    const desk = await deskOfAnn(db);
    await expect(desk.land('sales', file, { expected: expected! })).rejects.toMatchObject({
      code: 'file-refused',
      message,
    });
    expect((await booked(desk.world)).size).toBe(0);
  },
);

test.each([
  ['many', [], '--expect-rows'],
  [undefined, ['EUR:5'], '--expect-total'],
  [undefined, ['EUR=5', 'eur=6'], '--expect-total'],
  [undefined, ['EUR=1.2.3'], '--expect-total'],
])('what is no control total is refused: %s %s', (rows, totals, field) => {
  expect(() => readExpected(rows, totals)).toThrowError(
    expect.objectContaining({ code: 'usage', place: { field } }),
  );
});

test('without control totals nothing is expected', () => {
  expect(readExpected(undefined, [])).toBeUndefined();
});
