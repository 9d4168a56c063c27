import { readFile, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { payrun, payrunJson } from '../commands/payrun.ts';
import { testDatabase } from '../support/database.ts';
import { snapshot } from '../support/snapshot.ts';
import { stopAt } from './barrier.ts';
import { filesIn, salesWorkspace } from './night.ts';

const rows = 20_000;
const asOf = ['--as-of', '2026-03-02T02:00:00Z'];
const importing = ['import', 'sales', 'sales.csv'];
let undisturbed: Awaited<ReturnType<typeof snapshot>>;

async function wholeNight(
  url: string,
  between: Partial<Record<'import' | 'release' | 'prepare' | 'export', () => Promise<void>>> = {},
) {
  await between.import?.();
  await payrun(importing, { cwd: folderOf(url), url });
  await between.release?.();
  await payrunJson(['release', ...asOf], { cwd: folderOf(url), url });
  await between.prepare?.();
  await payrunJson(['payouts', 'prepare', '--by', 'ada', ...asOf], { cwd: folderOf(url), url });
  await between.export?.();
  await payrunJson(['payouts', 'export'], { cwd: folderOf(url), url });
}

const folders = new Map<string, string>();
const folderOf = (url: string) => folders.get(url)!;

async function fresh() {
  const database = await testDatabase();
  const place = await salesWorkspace(database.url, rows);
  folders.set(database.url, place.cwd);
  return { ...database, place };
}

beforeAll(async () => {
  const { db, url } = await fresh();
  await wholeNight(url);
  undisturbed = await snapshot(db);
});

describe('a night that is killed and started again ends like one that was not', () => {
  test('the undisturbed night is worth comparing with', () => {
    expect(undisturbed.conversions!.length).toBe(rows - Math.ceil(rows / 997));
    expect(undisturbed.payouts).toHaveLength(3);
    expect(undisturbed.payouts).toEqual(
      expect.arrayContaining([expect.objectContaining({ status: 'exported' })]),
    );
  });

  test.each([
    ['while sales are being recorded', 'import', 'commission', importing],
    ['when all sales are in and the journal is posted', 'import', 'posting', importing],
    ['when nothing but the commit of the import is left', 'import', 'import', importing],
    ['while holds are being released', 'release', 'commission', ['release', ...asOf]],
    ['when the release is posted', 'release', 'posting', ['release', ...asOf]],
    [
      'while payouts claim their commissions',
      'prepare',
      'payout',
      ['payouts', 'prepare', '--by', 'ada', ...asOf],
    ],
    ['when the payout files are written but not yet noted', 'export', 'payout', ['payouts', 'export']],
  ] as const)('kill -9 %s', async (_, step, table, args) => {
    const { db, url, place } = await fresh();
    await wholeNight(url, {
      [step]: async () => {
        const before = await snapshot(db);
        await stopAt(table, [...args], place);
        expect(await snapshot(db)).toEqual(before);
      },
    });
    expect(await snapshot(db)).toEqual(undisturbed);
    const outbox = await filesIn(place, 'outbox');
    expect(Object.keys(outbox).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('Ctrl-C in the middle of an import keeps nothing of it and says so', async () => {
    const { db, place } = await fresh();
    const before = await snapshot(db);
    expect(await stopAt('posting', importing, place, 'SIGINT')).toBe(1);
    expect(await snapshot(db)).toEqual(before);
    const again = (await payrunJson(importing, place, 3)) as Record<string, number>;
    expect(again.recorded).toBe(undisturbed.conversions!.length);
  });
});

test('two imports of overlapping files at the same moment record every sale once', async () => {
  const { db, place } = await fresh();
  const text = (await readFile(`${place.cwd}/sales.csv`, 'utf8')).split('\n');
  await writeFile(`${place.cwd}/first.csv`, `${text.slice(0, 15_001).join('\n')}\n`);
  await writeFile(
    `${place.cwd}/second.csv`,
    `${[text[0], ...text.slice(5_001).reverse().filter(Boolean)].join('\n')}\n`,
  );
  const both = await Promise.all(
    ['first.csv', 'second.csv'].map(
      (file) => payrunJson(['import', 'sales', file], place, 3) as Promise<Record<string, number>>,
    ),
  );
  const sum = (key: string) => both[0]![key]! + both[1]![key]!;
  expect(sum('recorded')).toBe(undisturbed.conversions!.length);
  expect(sum('recorded') + sum('duplicates') + sum('rejected')).toBe(sum('rows'));
  const facts = (state: typeof undisturbed) =>
    state.conversions!.map((row) => ({ ...(row as object), line: 0, file: '' }));
  expect(facts(await snapshot(db))).toEqual(facts(undisturbed));
  expect((await payrun(['audit'], place)).code).toBe(0);
});
