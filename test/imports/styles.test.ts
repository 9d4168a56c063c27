import path from 'node:path';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { formatAmount } from '../../src/money.ts';
import { emptyFolder } from '../support/folder.ts';
import { holds } from '../support/property.ts';
import { type Staged, stagedOf } from './staged.ts';

const folder = await emptyFolder();
const file = path.join(folder, 'sales.csv');

const header = ['external_id', 'affiliate', 'amount', 'currency', 'occurred_at', 'note'];

/** What must be the same whatever order the rows are in: everything but where they stood. */
function facts(read: Staged | 'file-refused') {
  if (read === 'file-refused') return read;
  const sales = read.sales.map(({ n: _, line: __, ...facts }) => JSON.stringify(facts, shown)).sort();
  return { sales, rows: read.rows, sums: [...read.sums].sort() };
}

function shown(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function grouped(amount: bigint, mark: string, decimal: string, indian: boolean): string {
  const [whole, cents] = formatAmount(amount, 'USD').split('.');
  const ends = indian ? /\B(?=(?:\d{2})*\d{3}$)/g : /\B(?=(?:\d{3})+$)/g;
  return `${whole!.replace(ends, mark)}${decimal}${cents}`;
}

const numberStyles: ((amount: bigint) => string)[] = [
  (amount) => formatAmount(amount, 'USD'),
  (amount) => formatAmount(amount, 'USD').replace('.', ','),
  (amount) => grouped(amount, ',', '.', false),
  (amount) => grouped(amount, ',', '.', true),
  (amount) => grouped(amount, '.', ',', false),
  (amount) => grouped(amount, ' ', ',', false),
  (amount) => grouped(amount, "'", '.', false),
  (amount) => `$${grouped(amount, ',', '.', false)}`,
  (amount) => `${grouped(amount, '.', ',', false)} USD`,
];

const names = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const dateStyles: ((year: string, month: string, day: string) => string)[] = [
  (year, month, day) => `${year}-${month}-${day}`,
  (year, month, day) => `${day}/${month}/${year}`,
  (year, month, day) => `${Number(month)}/${Number(day)}/${year}`,
  (year, month, day) => `${day}.${month}.${year}`,
  (year, month, day) => `${Number(day)} ${names[Number(month) - 1]} ${year}`,
  (year, month, day) => `${year}/${month}/${day}`,
];

const rows = fc.array(
  fc.record({
    amount: fc.bigInt({ min: 0n, max: 10n ** 12n }),
    day: fc.date({ min: new Date('2020-01-01'), max: new Date('2029-12-31'), noInvalidDate: true }),
    note: fc.stringMatching(/^[a-zé ,;"|\n]{0,8}$/),
  }),
  { minLength: 1, maxLength: 40 },
);

describe('what is staged is the same', () => {
  test('in whatever order, number style, date style, delimiter, line end and encoding a file comes', async () => {
    const style = fc.record({
      number: fc.constantFrom(...numberStyles),
      date: fc.constantFrom(...dateStyles),
      delimiter: fc.constantFrom(',', ';', '\t', '|'),
      record_delimiter: fc.constantFrom('\n', '\r\n', '\r'),
      encoding: fc.constantFrom('utf-8', 'utf-16le', 'windows-1252'),
    });
    const seed = fc.infiniteStream(fc.nat());
    await holds(
      fc.asyncProperty(rows, style, seed, async (some, { number, date, encoding, ...layout }, order) => {
        // The first day shows the order of day and month, whatever the others are.
        const days = ['2024-12-25', ...some.slice(1).map(({ day }) => day.toISOString().slice(0, 10))];
        const written = (
          numberOf: (amount: bigint) => string,
          dateOf: (year: string, month: string, day: string) => string,
        ) =>
          some.map(({ amount, note }, index) => {
            const [year, month, day] = days[index]!.split('-') as [string, string, string];
            return [`A${index}`, 'ann', numberOf(amount), 'USD', dateOf(year, month, day), note];
          });
        const plain = stringify([header, ...written(numberStyles[0]!, dateStyles[0]!)]);
        const others = written(number, date)
          .map((cells) => ({ cells, at: order.next().value }))
          .sort((one, other) => one.at - other.at)
          .map(({ cells }) => cells);
        const text = stringify([header, ...others], { ...layout, quoted_match: /[\r\n]/ });
        const expected = await stagedOf(file, plain);
        expect(expected).toMatchObject({ rows: some.length });
        const stated = encoding === 'windows-1252' ? { encoding } : {};
        const read = await stagedOf(file, iconv.encode(text, encoding), stated as object);
        expect(facts(read)).toEqual(facts(expected));
      }),
    );
  });

  test('in any order of rows that prove, contradict or leave open how they are written, however else they are faulty', async () => {
    const amounts = [
      '1,234',
      '1.234',
      '100',
      '12.50',
      '12,50',
      '1.234,56',
      '1,2345,6',
      '(5,00)',
      '-1.50',
      'x',
      '',
    ];
    const days = ['03/04/2026', '25/12/2025', '12/25/2025', '04/04/2026', '2026-01-10', '31/02/2026', ''];
    const row = fc.record({
      id: fc.constantFrom('A', '', '1e5'),
      amount: fc.constantFrom(...amounts),
      currency: fc.constantFrom('USD', 'KWD', 'US'),
      day: fc.constantFrom(...days),
      isRagged: fc.constantFrom(false, false, false, true),
    });
    const orders = fc
      .array(row, { minLength: 1, maxLength: 6 })
      .chain((some) => fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })));
    const outcomes = new Set<string>();
    await holds(
      fc.asyncProperty(orders, async (both) => {
        const [one, other] = await Promise.all(
          both.map(async (some, index) => {
            const cells = some.map(({ id, amount, currency, day, isRagged }) => [
              ...[id, 'ann', amount, currency, day, 'x'],
              ...(isRagged ? ['y'] : []),
            ]);
            return facts(await stagedOf(path.join(folder, `${index}.csv`), stringify([header, ...cells])));
          }),
        );
        outcomes.add(typeof one === 'string' ? one : 'read');
        expect(other).toEqual(one);
      }),
      200,
    );
    expect([...outcomes].sort()).toEqual(['file-refused', 'read']);
  });
});

test('whatever stands in the cells, a file is staged row by row or refused, and nothing crashes', async () => {
  const odd = fc.stringMatching(/^[-+(). ,'’€$0-9eECRDMayPT:/\u00a0\u2212"=\n]{0,14}$/);
  const some = fc.array(fc.tuple(odd, odd, odd, odd, odd, odd), { minLength: 1, maxLength: 6 });
  await holds(
    fc.asyncProperty(some, fc.boolean(), async (cells, isQuoted) => {
      const lines = [header, ...cells];
      const text = isQuoted ? stringify(lines) : lines.map((line) => line.join(';')).join('\n');
      const read = await stagedOf(file, text);
      if (read === 'file-refused') return;
      expect(read.rows).toBe(read.sales.length);
      for (const { fault, amount, occurredAt } of read.sales) {
        if (fault === undefined) expect([typeof amount, typeof occurredAt]).toEqual(['bigint', 'string']);
      }
    }),
    200,
  );
});

test('what showed a style is kept with its line, for a person to see', async () => {
  const text = `${header.join()}\nA-1,ann,100,USD,03/04/2026,\nA-2,ann,"1.234,56",USD,25/12/2025,\nA-3,ann,"2,50",USD,04/04/2026,\n`;
  const read = (await stagedOf(file, text)) as Staged;
  expect(read.evidence).toEqual([
    { field: 'amount', style: 'a decimal comma', line: 3, value: '1.234,56' },
    { field: 'occurred_at', style: 'the day before the month', line: 3, value: '25/12/2025' },
  ]);
  expect(read.sums).toEqual(new Map([['USD', { units: 133706n, scale: 2 }]]));
});

test('a file of thousands of rows is held back only at its end, and its totals are found there', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `A-${index},ann,0.01,USD,2026-01-10,`);
  const text = `${header.join()}\n${lines.join('\n')}\nTotal,,200.00,,,\n\nend of report\n`;
  const read = (await stagedOf(file, text)) as Staged;
  expect([read.rows, read.sales.length, read.sales.at(-1)?.line, read.ignored]).toEqual([
    20_000, 20_000, 20_001, 3,
  ]);
  expect(read.sums).toEqual(new Map([['USD', { units: 20_000n, scale: 2 }]]));
});
