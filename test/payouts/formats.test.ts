import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Format, Line } from '../../src/payouts/formats/format.ts';
import { formatFor, formatNamed, formats } from '../../src/payouts/formats/formats.ts';
import { paypal } from '../../src/payouts/formats/paypal.ts';
import { detail } from '../../src/payouts/formats/report.ts';

const folder = path.join(import.meta.dirname, '../../fixtures/payouts');
const cases = readdirSync(folder).filter((name) => name.endsWith('.json'));
const all: Format<Line>[] = [...formats, detail];

function readCase(name: string): { format: Format<Line>; lines: Line[]; expected: string } {
  const { format, lines } = JSON.parse(readFileSync(path.join(folder, name), 'utf8'), (key, value) =>
    /amount/i.test(key) && value !== null ? BigInt(value) : value,
  ) as { format: string; lines: Line[] };
  const found = all.find((one) => one.name === format)!;
  const expected = name.replace(/\.json$/, `.expected.${found.extension}`);
  return { format: found, lines, expected: readFileSync(path.join(folder, expected), 'utf8') };
}

async function written(format: Format<Line>, ...pages: Line[][]): Promise<string> {
  let text = '';
  for await (const piece of format.write(inPages(pages))) text += piece;
  return text;
}

async function* inPages(pages: Line[][]) {
  yield* pages;
}

describe('a file has exactly the bytes that its receiver asks for', () => {
  test.each(cases)('fixtures/payouts/%s', async (name) => {
    const { format, lines, expected } = readCase(name);
    expect(await written(format, lines)).toBe(expected);
    expect(await written(format, ...lines.map((line) => [line]))).toBe(expected);
    for (const line of lines) expect(format.refuse?.(line)).toBeUndefined();
  });

  test('every format has such a pair', () => {
    const tried = cases.map((name) => readCase(name).format.name);
    for (const format of all) expect(tried).toContain(format.name);
  });
});

describe('PayPal', () => {
  const line = {
    reference: '0A1B2C3D4E5F',
    destination: 'ann@example.com',
    payeeName: 'Ann',
    amount: 100n,
    currency: 'USD',
  };

  test.each([
    '=1+1@example.com',
    '+49@example.com',
    '-ann@example.com',
    '@ann',
    '\tann@example.com',
    '\rann',
  ])('the recipient %j is refused, never altered', (destination) => {
    expect(paypal.refuse!({ ...line, destination })).toMatch(/formula/);
  });

  test.each([
    ['HUF', 150_050n],
    ['TWD', 99n],
  ])('%s with a fraction is refused, never rounded', (currency, amount) => {
    expect(paypal.refuse!({ ...line, currency, amount })).toMatch(`whole ${currency} only`);
  });
});

test('every method has a format, PayPal its own and the others the report', () => {
  const names = (['paypal', 'wise', 'sepa', 'ach', 'manual'] as const).map(
    (method) => formatFor(method).name,
  );
  expect(names).toEqual(['paypal', 'report', 'report', 'report', 'report']);
});

test('a format that is not there is refused with the list of those that are', () => {
  expect(() => formatNamed('nacha')).toThrow(
    expect.objectContaining({ code: 'usage', found: 'nacha', todo: 'Choose one of: paypal, report.' }),
  );
});
