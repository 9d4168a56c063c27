import { expect, test } from 'vitest';
import { payrun, payrunJson } from '../commands/payrun.ts';
import { testDatabase } from '../support/database.ts';
import { snapshot } from '../support/snapshot.ts';
import { stopAt } from './barrier.ts';
import { salesWorkspace } from './night.ts';

test.each(['conversion', 'commission', 'posting', 'import'])(
  'kill -9 while an import is being undone, when it comes to the table %s, leaves nothing half done; then it is undone in full',
  async (table) => {
    const { db, url } = await testDatabase();
    const place = await salesWorkspace(url, 2_000);
    const landed = (await payrunJson(['import', 'sales', 'sales.csv'], place, 3)) as { import: string };
    const before = await snapshot(db);
    const undo = ['imports', 'undo', landed.import, '--by', 'Ada', '--reason', 'wrong'];
    await stopAt(table, undo, place);
    expect(await snapshot(db)).toEqual(before);
    expect(await payrunJson(undo, place)).toMatchObject({ counts: { sales: before.conversions!.length } });
    expect((await payrun(['audit'], place)).code).toBe(0);
    const again = (await payrunJson(['import', 'sales', 'sales.csv'], place, 3)) as { recorded: number };
    expect(again.recorded).toBe(before.conversions!.length);
  },
);
