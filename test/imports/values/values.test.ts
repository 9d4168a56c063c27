import { describe, expect, test } from 'vitest';
import { textOf } from '../../../src/imports/values/cells.ts';
import { emailOf } from '../../../src/imports/values/values.ts';

describe('the text of a cell', () => {
  const words = ['NULL', 'null', '\\N', 'nil', 'None', 'none', '', '   ', '\u00a0', '-', '--', 'n/a', 'N/A'];
  const errors = [
    '#REF!',
    '#NAME?',
    '#VALUE!',
    '#DIV/0!',
    '#NUM!',
    '#N/A',
    '#ref!',
    '#WERT!',
    '#BEZUG!',
    '#NV',
  ];
  test.each([...words, ...errors])('that is "%s" says that nothing is there', (cell) => {
    expect(textOf(cell)).toBe('');
    expect(textOf(` ${cell} `)).toBe('');
    expect(textOf(`="${cell}"`)).toBe('');
  });

  test.each([
    'nora',
    'nilsson',
    'none of these',
    '#1',
    '#1001!',
    '#sale',
    '-5.00',
    '---',
    'N',
    '\\Nora',
    'n/a?',
  ])('that is "%s" is a text', (cell) => {
    expect(textOf(cell)).toBe(cell);
  });
});

test('what can be no e-mail address is none', () => {
  expect(['guest', '@', 'kim@', '@example.com', ''].map(emailOf)).toEqual(['', '', '', '', '']);
  expect(emailOf('mailto:Kim@Example.COM')).toBe('Kim@example.com');
});
