import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Place, payrun, payrunJson } from '../commands/payrun.ts';
import { testDatabase } from '../support/database.ts';
import { emptyFolder } from '../support/folder.ts';
import { snapshot } from '../support/snapshot.ts';

interface Night {
  steps: { job: string; exitCode: number; outcome: { counts: Record<string, number> } }[];
  files: string[];
}

let place: Place & { url: string };
let night: Night;
let first: Awaited<ReturnType<typeof snapshot>>;
let database: Awaited<ReturnType<typeof testDatabase>>;

async function outbox(): Promise<Record<string, string>> {
  const folder = path.join(place.cwd, 'payrun-demo', 'outbox');
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name), 'utf8')])),
  );
}

beforeAll(async () => {
  database = await testDatabase();
  place = { cwd: await emptyFolder(), url: database.url };
  night = (await payrunJson(['demo'], place)) as Night;
  first = await snapshot(database.db);
});

const commission = (id: string) =>
  first.commissions!.find((row) => (row as { external_id: string }).external_id === id) as
    | Record<string, unknown>
    | undefined;

describe('a night at Acme Inc.', () => {
  test('every step is done, and the books balance', () => {
    expect(night.steps.map(({ job }) => job)).toEqual([
      'import-sales',
      'import-events',
      'retry-parked',
      'release-holds',
      'prepare-payouts',
      'export-payouts',
      'audit',
    ]);
    expect(night.steps.map(({ exitCode }) => exitCode)).toEqual([3, 3, 0, 0, 0, 0, 0]);
  });

  test('every row of the files ended in one way', () => {
    const { rows, files, refused, ...ends } = night.steps[0]!.outcome.counts;
    expect({ rows, files, refused }).toEqual({ rows: 38, files: 3, refused: 0 });
    expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(38);
    expect(ends).toMatchObject({ duplicates: 2, updated: 1, conflicts: 1, rejected: 6 });
  });

  test.each([
    ['W-2001', { amount: 14_400n, incentive: 'pro-yearly', status: 'ready_for_payment', payout: 'exported' }],
    ['W-2003', { amount: 16_000n, rate_ppm: 250_000, payout: 'exported' }],
    ['W-2010', { amount: 5_742n, currency: 'USD', payout: 'exported' }],
    ['W-2012', { amount: 2_500n, incentive: 'workshop', payout: 'exported' }],
    ['W-2007', { status: 'ready_for_payment', payout: null }],
    ['W-2008', { status: 'ready_for_payment', payout: null }],
    ['W-2011', { status: 'ready_for_payment', payout: null }],
    ['W-2020', { status: 'pending', payout: null }],
    ['T-1', { amount: 16_000n, currency: 'JPY', payout: 'exported' }],
  ])('%s is where it belongs', (id, expected) => {
    expect(commission(id)).toMatchObject(expected);
  });

  test('a paused partner and a failed sale earn nothing, and the reason is kept', () => {
    expect([commission('W-2009'), commission('W-2015')]).toEqual([undefined, undefined]);
    const reasons = first.conversions!.filter(
      (row) => (row as { no_commission_reason: unknown }).no_commission_reason !== null,
    );
    expect(reasons).toMatchObject([
      { external_id: 'W-2009', no_commission_reason: 'the affiliate is paused' },
      { external_id: 'W-2015', no_commission_reason: 'the sale failed' },
    ]);
  });

  test('who was left out is listed with the reason', () => {
    expect(first.leftOut).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ affiliate: 'P-107', reason: 'under_minimum' }),
        expect.objectContaining({ affiliate: 'P-105', reason: 'no_destination' }),
        expect.objectContaining({ affiliate: 'P-108', reason: 'pending' }),
      ]),
    );
  });

  test('PayPal’s file has yen in whole units, and one currency a file', async () => {
    const files = Object.entries(await outbox()).filter(([name]) => /paypal.*\.csv$/.test(name));
    expect(files).toHaveLength(2);
    const yen = files.find(([, text]) => text.includes(',JPY,'))![1];
    expect(yen).toMatch(/^emi@sato\.example,\d+,JPY,[0-9A-Z]{12},/);
    for (const [, text] of files)
      expect(
        new Set(
          text
            .trim()
            .split('\r\n')
            .map((line) => line.split(',')[2]),
        ).size,
      ).toBe(1);
  });

  test('the same night again records nothing, pays nothing and writes the same bytes', async () => {
    const before = await outbox();
    const again = await payrun(['demo'], place);
    expect(again.code).toBe(0);
    expect(await outbox()).toEqual(before);
    const { imports: _, ...second } = await snapshot(database.db);
    const { imports: __, ...expected } = first;
    expect(second).toEqual(expected);
    expect(again.stdout).toContain('already imported');
  });
});
