import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csv } from '../src/csv.ts';
import { exposed, given, harmless, kept, looksLikeFormula } from '../src/spreadsheet.ts';
import { holds } from './support/property.ts';

/** Made of what matters here, so that it comes together. */
const text = fc
  .array(fc.constantFrom(...'=+-@＝＋－＠;,|\t\r\n"\'015. aé'), { maxLength: 12 })
  .map((characters) => characters.join(''));

test('what a spreadsheet would run is text, full-width signs and cut-off parts too; negative amounts stay numbers', () => {
  const made: [string, string][] = [
    ['=1+1', "'=1+1"],
    ['+49 30 123', "'+49 30 123"],
    ['@sum', "'@sum"],
    ['-rm', "'-rm"],
    ['-2+3', "'-2+3"],
    ['＝1+1', "'＝1+1"],
    ['＋1', "'＋1"],
    ['－1', "'－1"],
    ['＠sum', "'＠sum"],
    ['a;=1+1', "a;'=1+1"],
    ['a\t=1+1', "a\t'=1+1"],
    ['\t=1+1', "'\t'=1+1"],
    ['a\n@sum', "a\n'@sum"],
    ['a;"=1+1"', 'a;"\'=1+1"'],
    ["'=a", "''=a"],
    ["'tis", "'tis"],
    ['-5.00', '-5.00'],
    ['-1.234,50', '-1.234,50'],
    ['a;-5.00;b', 'a;-5.00;b'],
    ['ann@example.com', 'ann@example.com'],
    ['Smith-Jones, Q1+Q2', 'Smith-Jones, Q1+Q2'],
  ];
  expect(made.map(([given]) => [given, harmless(given)])).toEqual(made);
});

test('whatever a spreadsheet splits the lines of a file by, no cell of it is a formula', async () => {
  await holds(
    fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (cells) => {
      const file = csv([cells.map(harmless)], '\n');
      // By the comma as it is written; by another delimiter quotes mean nothing but at the start of the file.
      const whole = (parse(file) as string[][]).flat();
      const cut = [';', '\t', '|'].flatMap((delimiter) =>
        file
          .split(/[\r\n]/)
          .flatMap((line, number) => line.split(delimiter).slice(number === 0 ? 1 : 0))
          .map((cell) => cell.replace(/^"+/, '')),
      );
      const formulas = [...whole, ...cut].filter(
        (cell) => /^[=+\-@＝＋－＠]/.test(cell) && !/^-\d/.test(cell),
      );
      expect(formulas).toEqual([]);
    }),
    2_000,
  );
});

test('text made harmless is exactly what it was when it comes back', async () => {
  await holds(
    fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (some) => {
      expect(exposed(harmless(some))).toBe(some);
      expect(given(kept(some))).toBe(some);
      if (harmless(some) !== some) expect(looksLikeFormula(some)).toBe(true);
    }),
    5_000,
  );
});

test('what comes back keeps its zeros and its digits', () => {
  const ids = ['00123', '0', '0.50', '1234567890123456', '123456789012345'];
  expect(ids.map(kept)).toEqual(['="00123"', '0', '0.50', '="1234567890123456"', '123456789012345']);
  expect(ids.map(kept).map(given)).toEqual(ids);
  expect(ids.map(harmless)).toEqual(ids);
});
