import { describe, expect, test } from 'vitest';
import { width } from '../../src/commands/layout.ts';
import { createPaint, styled } from '../../src/commands/paint.ts';
import { countOf, pairs, plural, section, showDecimal, table } from '../../src/commands/render.ts';

const plain = createPaint(false);

test('a table aligns names at the left and amounts at the right, also beside Japanese names', () => {
  const columns = [{ title: 'who' }, { title: 'amount', align: 'right' as const }, { title: 'note' }];
  const rows = [
    ['Ada', '1,234.50 USD', ''],
    ['山田太郎', '5 JPY', 'new'],
  ];
  expect(table(plain, columns, rows)).toBe(
    ['who             amount  note', 'Ada       1,234.50 USD', '山田太郎         5 JPY  new'].join('\n'),
  );
});

test('a text is as wide as a terminal shows it', () => {
  expect(width('Zoë')).toBe(3);
  expect(width('Zoe\u0308')).toBe(3);
  expect(width('山田')).toBe(4);
  expect(width('ﾊﾝｶｸ')).toBe(4);
  expect(width('한국')).toBe(4);
  expect(width('')).toBe(0);
  expect(width(createPaint(true).bad('bad'))).toBe(3);
});

test('colours appear only where they are wanted', () => {
  expect(createPaint(false).good('ok')).toBe('ok');
  expect(styled(createPaint(true).good('ok'))).toBe('\u001b[32mok\u001b[39m');
});

test('amounts are shown with their thousands apart, their exact decimals and their currency', () => {
  expect(showDecimal('1234567.50', 'USD')).toBe('1,234,567.50 USD');
  expect(showDecimal('-0.05', 'USD')).toBe('-0.05 USD');
  expect(showDecimal('1500', 'JPY')).toBe('1,500 JPY');
  expect(showDecimal('99999999999999999999.999', 'KWD')).toBe('99,999,999,999,999,999,999.999 KWD');
});

test('a list of names and values leaves out what has no value', () => {
  expect(
    pairs(plain, [
      ['a', '1'],
      ['long', undefined],
      ['bc', '2'],
    ]),
  ).toBe('a   1\nbc  2');
});

test('a count agrees with its noun', () => {
  expect([plural(1, 'row'), plural(0, 'row'), plural(1200, 'entry', 'entries')]).toEqual([
    '1 row',
    '0 rows',
    '1,200 entries',
  ]);
});

test('a count is named in the singular where it is one', () => {
  expect([countOf(1, 'rows'), countOf(2, 'rows'), countOf(0, 'conflicts')]).toEqual([
    '1 row',
    '2 rows',
    '0 conflicts',
  ]);
  expect([countOf(1, 'approved_batches'), countOf(1204, 'approved_batches'), countOf(1, 'recorded')]).toEqual(
    ['1 approved batch', '1,204 approved batches', '1 recorded'],
  );
});

describe('where a table is wider than the terminal', () => {
  const columns = [{ title: 'id' }, { title: 'amount', align: 'right' as const }, { title: 'why' }];
  const rows = [
    [
      'com_01kjp0y9m0ftqvh5mh00000003',
      '1,234,520.00 USD',
      'The balance of 1,200.00 USD was under the minimum.',
    ],
    ['com_01kjp0y9m0ftqvh5mh00000004', '20.00 USD', ''],
  ];

  test('prose is broken between words, and never within an amount', () => {
    expect(table(createPaint(false, 70), columns, rows)).toBe(
      [
        'id                                        amount  why',
        'com_01kjp0y9m0ftqvh5mh00000003  1,234,520.00 USD  The balance of',
        '                                                  1,200.00 USD was',
        '                                                  under the minimum.',
        'com_01kjp0y9m0ftqvh5mh00000004         20.00 USD',
      ].join('\n'),
    );
  });

  test('each row becomes names and values where that is not enough', () => {
    expect(table(createPaint(false, 50), columns, rows)).toBe(
      [
        'id      com_01kjp0y9m0ftqvh5mh00000003',
        'amount  1,234,520.00 USD',
        'why     The balance of 1,200.00 USD was under the',
        '        minimum.',
        '',
        'id      com_01kjp0y9m0ftqvh5mh00000004',
        'amount  20.00 USD',
      ].join('\n'),
    );
  });

  test('a section leaves its tables two columns less', () => {
    const fits = table(
      plain,
      columns.slice(0, 2),
      rows.map((row) => row.slice(0, 2)),
    );
    const columnsOf = (paint: { columns: number }) => String(paint.columns);
    expect(fits.split('\n').map((line) => line.length)).toContain(48);
    expect(section(createPaint(false, 50), 'Part', columnsOf)).toBe('Part\n  48');
  });
});

test('a cell is one line, whatever data it shows', () => {
  expect(table(plain, [{ title: 'name' }], [['Eve\nMallory\u001b[2J']])).toBe('name\nEve␊Mallory␛[2J');
});

test('data cannot pass for styled text', () => {
  const green = createPaint(true).good('x');
  expect(styled('\u001b[32mx\u001b[39m')).toBe('␛[32mx␛[39m');
  expect(styled(green.replace(/[0-9a-f]{16}/g, '0123456789abcdef'))).not.toContain('\u001b');
});
