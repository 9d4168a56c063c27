import { expect, test } from 'vitest';
import { csv } from '../src/csv.ts';

test('cells that have commas, quotes or line ends are quoted', () => {
  expect(csv([['a,b', 'say "x"', 'two\nlines', 'plain']], '\n')).toBe(
    '"a,b","say ""x""","two\nlines",plain\n',
  );
});
