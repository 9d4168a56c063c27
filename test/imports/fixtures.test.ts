import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { caseOutcome, type FixtureConfig } from './fixture-case.ts';

const { db } = await testDatabase();
const folder = fileURLToPath(new URL('../../fixtures/imports/', import.meta.url));
const names = readdirSync(folder);
const inputs = names.filter((name) => /\.(csv|tsv|txt|xlsx|zip|ndjson)(\.gz)?$/.test(name));

/** PAYRUN_WRITE_EXPECTED=1 writes what came out as what is expected, to be read before it is kept. */
const writes = process.env.PAYRUN_WRITE_EXPECTED === '1';

function json(name: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
}

/** The file beside an input that has its name up to the first point. */
function beside(input: string, ending: string): string {
  return `${input.split('.')[0]}.${ending}`;
}

describe('each file of fixtures/imports ends as the expectation beside it says', () => {
  test.each(inputs)('%s', async (input) => {
    const config = names.includes(beside(input, 'config.json')) ? json(beside(input, 'config.json')) : {};
    const outcome = await caseOutcome(
      db,
      input,
      readFileSync(path.join(folder, input)),
      config as FixtureConfig,
    );
    const expected = beside(input, 'expected.json');
    if (writes) writeFileSync(path.join(folder, expected), `${JSON.stringify(outcome, null, 2)}\n`);
    expect(readdirSync(folder), `${input} has no ${expected}`).toContain(expected);
    expect(outcome).toEqual(json(expected));
  });
});

test('nothing stands there that no test reads', () => {
  const read = inputs.flatMap((input) => [
    input,
    beside(input, 'expected.json'),
    beside(input, 'config.json'),
  ]);
  expect(names.filter((name) => !read.includes(name))).toEqual([]);
  expect(new Set(inputs.map((input) => input.split('.')[0])).size).toBe(inputs.length);
});

test('every fault that a row of a sales file or an event log can have stands in one of them', () => {
  const seen = inputs.flatMap((input) => {
    const { rejected = [] } = json(beside(input, 'expected.json')) as { rejected?: string[] };
    return rejected.map((row) => row.split(' ')[2]);
  });
  const codes =
    'required ragged quote too-long nul id-destroyed amount-format amount-mark amount-grouping amount-exponent amount-form ' +
    'amount-currency amount-decimals amount-too-large integer-unsafe sum-row amount-negative charge-negative currency-unknown currency-withdrawn rate-missing date-format date-future date-gap date-iso ' +
    'date-zone date-serial date-short-year choice number-format status-refund json stripe-event event-type identifier-missing type ' +
    'affiliate-unknown affiliate-ambiguous customer-ambiguous customer-unknown ' +
    'refund-exceeds refund-zero refund-currency refund-id-of-sale refund-of-refund sale-id-of-refund';
  expect([...new Set(seen)].sort()).toEqual(codes.split(' ').sort());
});
