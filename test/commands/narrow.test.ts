import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.ts';
import { payrunJson } from './payrun.ts';
import { openScreen, rowsOf, type Screen } from './screen.ts';
import { openShop } from './shop.ts';

/** What must not be torn: amounts with their currency, counts, ids, references, moments. */
const whole =
  /[-+=]? ?\d[\d,]*(?:\.\d+)? [A-Z]{3}\b|\d{1,3}(?:,\d{3})+|[a-z]{2,4}_[0-9a-z]{26}|\d{4}-\d\d-\d\d \d\d:\d\d [A-Z]\S+/g;

const again = `external_id,affiliate,amount,currency,occurred_at,product_ids
INV-1,bob,1234567.89,USD,2026-01-10T12:00:00Z,prod_pro
BIG-1,bob,9876543.21,USD,2026-01-10T12:00:00Z,prod_pro
`;

let screen: Screen;
const views: string[][] = [['check'], ['audit'], ['payouts', 'list'], ['runs', 'list'], ['imports', 'list']];

beforeAll(async () => {
  const { url } = await testDatabase();
  const shop = await openShop(url);
  screen = openScreen(shop);
  const file = path.join(shop.cwd, 'a file whose name is so long that it fits into no column of a table.csv');
  await writeFile(file, again);
  views.push(['import', 'sales', file, '--dry-run'], ['import', 'affiliates', file]);
  await payrunJson(['import', 'sales', file], shop, 3);
  await payrunJson(['release', '--as-of', '2026-03-05'], shop);
  views.push(['payouts', 'prepare', '--as-of', '2026-03-05', '--by', 'Ada Lovelace', '--dry-run']);
  await payrunJson(['payouts', 'prepare', '--as-of', '2026-03-05', '--by', 'Ada Lovelace'], shop);
  const [batch] = rowsOf(await payrunJson(['payouts', 'list'], shop));
  await payrunJson(['payouts', 'approve', batch!.batch!, '--by', 'Bob'], shop);
  const [conflict] = rowsOf(await payrunJson(['conflicts', 'list'], shop));
  const runs = rowsOf(await payrunJson(['runs', 'list'], shop));
  const imports = rowsOf(await payrunJson(['imports', 'list'], shop));
  views.push(
    ['payouts', 'show', batch!.batch!],
    ['conflicts', 'list'],
    ['conflicts', 'show', conflict!.conflict!],
  );
  views.push(['conflicts', 'accept', conflict!.conflict!, '--by', 'Ada', '--dry-run']);
  views.push(...runs.map(({ run }) => ['runs', 'show', run!]));
  views.push(...imports.map((one) => ['imports', 'show', one.import!]));
  views.push(['explain', 'INV-1'], ['explain', 'BIG-1'], ['explain', 'ada'], ['explain', 'nobody-at-all']);
  views.push(['payouts', 'export', batch!.batch!, '--dry-run']);
});

describe.each([80, 60])('before a terminal of %i columns', (columns) => {
  test('no line is longer, and no amount, id or moment is broken', async () => {
    for (const args of views) {
      const narrow = await screen.see(args, columns);
      const tooLong = narrow
        .split('\n')
        .filter((line) => line.length > columns && /\S {1,2}\S/.test(line.trim()));
      expect({ args, tooLong }).toEqual({ args, tooLong: [] });
      if (args.includes('--dry-run')) continue;
      const wide = await screen.see(args);
      // What a run tells of its own is on the clock of its programme, and says so.
      expect({ args, elsewhere: wide.match(/.*\bUTC\b.*/g) }).toEqual({ args, elsewhere: null });
      const missing = [...new Set(wide.match(whole))].filter((one) => !narrow.includes(one.trim()));
      expect({ args, missing }).toEqual({ args, missing: [] });
    }
  });
});
