import { expect, test } from 'vitest';
import { csv, harmless } from '../src/csv.ts';

test('what a spreadsheet would run is text, and a negative amount stays a number', () => {
  expect(['=1+1', '+49', '@sum', '-rm', '-12.50', '-5', 'plain'].map(harmless)).toEqual([
    "'=1+1",
    "'+49",
    "'@sum",
    "'-rm",
    '-12.50',
    '-5',
    'plain',
  ]);
});

test('cells that have commas, quotes or line ends are quoted', () => {
  expect(csv([['a,b', 'say "x"', 'two\nlines', 'plain']], '\n')).toBe(
    '"a,b","say ""x""","two\nlines",plain\n',
  );
});
