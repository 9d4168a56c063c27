import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadRates, type Rates } from '../../src/imports/rates.ts';
import { emptyFolder } from '../support/folder.ts';
import { holds } from '../support/property.ts';

const workspace = await emptyFolder();

async function rates(...lines: string[]): Promise<Rates> {
  await writeFile(path.join(workspace, 'rates.csv'), `from,to,day,rate,source\n${lines.join('\n')}\n`);
  return loadRates(workspace, new AbortController().signal);
}

test('a rate holds for its day and its direction only', async () => {
  const found = await rates('EUR,USD,2026-01-10,1.0832,ECB', 'EUR,USD,2026-01-11,1.09,ECB');
  expect(found.find('EUR', 'USD', '2026-01-10')).toEqual({
    rate: '1.0832',
    minorRate: '1.0832',
    source: 'ECB',
  });
  expect(found.find('EUR', 'USD', '2026-01-11')?.rate).toBe('1.09');
  expect([found.find('USD', 'EUR', '2026-01-10'), found.find('EUR', 'USD', '2026-01-12')]).toEqual([
    undefined,
    undefined,
  ]);
});

test('a workspace without rates.csv has no rates', async () => {
  const none = await loadRates(await emptyFolder(), new AbortController().signal);
  expect(none.find('EUR', 'USD', '2026-01-10')).toBeUndefined();
});

test('between minor units the same money is the same, whatever decimals the two currencies have', async () => {
  const decimals = { JPY: 0, USD: 2, KWD: 3, CLF: 4 };
  const currency = fc.constantFrom(...(Object.keys(decimals) as (keyof typeof decimals)[]));
  const rate = fc.tuple(
    fc.bigInt({ min: 0n, max: 999_999_999_999n }),
    fc.bigInt({ min: 1n, max: 999_999_999_999n }),
  );
  const exact = (text: string) => {
    const [whole, part = ''] = text.split('.');
    return BigInt(whole! + part.padEnd(20, '0'));
  };
  await holds(
    fc.asyncProperty(currency, currency, rate, async (from, to, [whole, part]) => {
      const text = `${whole}.${part.toString().padStart(12, '0')}`;
      const found = (await rates(`${from},${to},2026-01-10,${text},ECB`)).find(from, to, '2026-01-10')!;
      expect(exact(found.minorRate) * 10n ** BigInt(decimals[from])).toBe(
        exact(text) * 10n ** BigInt(decimals[to]),
      );
    }),
    100,
  );
});

test.each([
  ['EUR,US,2026-01-10,1.1,ECB', '"US" is no ISO 4217 currency code'],
  ['EUR,USD,10.01.2026,1.1,ECB', '"10.01.2026" is no day such as 2026-02-28'],
  ['EUR,USD,2026-01-10,0.00,ECB', '"0.00" is no rate above 0 such as 1.0832'],
  ['EUR,USD,2026-01-10,-1,ECB', '"-1" is no rate above 0 such as 1.0832'],
  ['EUR,USD,2026-01-10,1e3,ECB', '"1e3" is no rate above 0 such as 1.0832'],
  ['EUR,USD,2026-01-10,1.1,', 'it has no source; say who published it'],
  ['HRK,USD,2023-01-01,0.14,ECB', 'HRK was withdrawn after 2022-12-31'],
  ['EUR,BGN,2026-01-01,1.95583,ECB', 'BGN was withdrawn after 2025-12-31'],
])('the line %s costs the others nothing: it is a warning with its number', async (line, why) => {
  const found = await rates(line, 'GBP,USD,2026-01-10,1.3,BoE');
  expect(found.warnings).toEqual([`rates.csv:2 can't be used: ${why}`]);
  expect(found.find('GBP', 'USD', '2026-01-10')?.rate).toBe('1.3');
});

test('a withdrawn currency has rates up to its last day', async () => {
  const found = await rates('HRK,USD,2022-12-31,0.14,ecb');
  expect(found.warnings).toEqual([]);
  expect(found.find('HRK', 'USD', '2022-12-31')?.rate).toBe('0.14');
});

test('the same rate twice is one; of different rates for a day none is used', async () => {
  const found = await rates(
    'GBP,USD,2026-01-10,1.3,BoE',
    'GBP,USD,2026-01-10,1.3,ECB',
    'EUR,USD,2026-01-10,1.1,ECB',
    'EUR,USD,2026-01-10,1.2,ECB',
    'EUR,USD,2026-01-10,1.1,ECB',
  );
  expect(found.find('GBP', 'USD', '2026-01-10')?.rate).toBe('1.3');
  expect(found.find('EUR', 'USD', '2026-01-10')).toBeUndefined();
  expect(found.warnings).toEqual([
    expect.stringContaining(
      "rates.csv:5 can't be used: the rate of EUR to USD on 2026-01-10 differs from line 4",
    ),
    expect.stringContaining("rates.csv:6 can't"),
  ]);
});

test('of many lines that can’t be used the first are named and the others counted', async () => {
  const found = await rates(...Array.from({ length: 8 }, () => 'A,B,C,D,E'));
  expect(found.warnings).toHaveLength(6);
  expect(found.warnings.at(-1)).toBe("rates.csv: 3 more lines can't be used");
});
