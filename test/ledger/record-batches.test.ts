import { describe, expect, test } from 'vitest';
import { batchRows } from '../../src/imports/sales/batches.ts';
import { audited } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import { deskWithTwo, earned, header } from './selling.ts';

const { db } = await testDatabase();

/** More rows than are recorded together: `before` first, then fillers of other customers, then `after`. */
function longFile(before: string[], after: string[], more: string): string {
  const filler = (n: number) => `x-${n},bob,1.00,USD,2026-01-01${more.replaceAll(/,[^,]+/g, ',')}`;
  const fillers = Array.from({ length: batchRows }, (_, n) => filler(n));
  return `${[header + more, ...before, ...fillers, ...after].join('\n')}\n`;
}

describe('a file that is longer than one batch', () => {
  test('gives what a short one would: payments are counted in order of date across the border', async () => {
    const incentives = [{ ref: 'first-two', percent: '50', duration: { payments: 2 } }];
    const desk = await deskWithTwo(db, { program: { incentives } });
    const sale = (id: string, day: string) => `${id},ann,100.00,USD,2026-01-${day},c1`;
    await desk.land(
      'sales',
      longFile(
        [sale('s-1', '12'), sale('s-2', '14')],
        [sale('s-3', '11'), sale('s-4', '13')],
        ',customer_id',
      ),
    );
    const books = await earned(desk);
    expect(['s-1', 's-2', 's-3', 's-4'].map((id) => books[id])).toEqual([
      'first-two 5000',
      'default 2000',
      'first-two 5000',
      'default 2000',
    ]);
    expect(await audited(desk.world)).toEqual([]);
  });

  test('knows its own doubles across the border', async () => {
    const desk = await deskWithTwo(db);
    const row = (amount: string, status: string) => `s-1,ann,${amount},USD,2026-01-12,${status}`;
    const { counts } = await desk.land(
      'sales',
      longFile(
        [row('100.00', 'open')],
        [row('100.00', 'complete'), row('100.00', 'open'), row('99.00', 'open')],
        ',sales_status',
      ),
    );
    expect(counts).toMatchObject({ recorded: batchRows + 1, updated: 1, duplicates: 1, conflicts: 1 });
  });

  test('finds each row’s own terms and affiliate, however many there are', async () => {
    const all = batchRows * 2;
    const odd = [1, batchRows + 1, all - 1];
    const incentives = [{ ref: 'odd', percent: '50', product_ids: odd.map((n) => `p-${n}`) }];
    const desk = await deskWithTwo(db, { program: { incentives } });
    // Every row has another product, and the same ones come again when the first have long been forgotten.
    const rows = [...Array.from({ length: all }, (_, n) => n), ...odd];
    const lines = rows.map((n, at) => `s-${at},${n % 2 === 1 ? 'ann' : 'Bob'},1.00,USD,2026-01-01,p-${n}`);
    const { counts, totals } = await desk.land(
      'sales',
      `${[`${header},product_ids`, ...lines].join('\n')}\n`,
    );
    expect(counts).toMatchObject({ recorded: rows.length });
    // Ann earns 20 %, or 50 % for six of hers; Bob's own rate is 40 %.
    const cents = 20 * (batchRows + 3 - 6) + 50 * 6 + 40 * batchRows;
    expect(totals.USD?.commissions).toBe((cents / 100).toFixed(2));
    const books = await earned(desk);
    const byIncentive = Object.entries(books).filter(([, earns]) => !earns?.startsWith('default'));
    expect(Object.fromEntries(byIncentive)).toEqual(
      Object.fromEntries([...odd, all, all + 1, all + 2].map((n) => [`s-${n}`, 'odd 50'])),
    );
    expect(await audited(desk.world)).toEqual([]);
  });

  test('is recorded the same when a double makes half of it look less new', async () => {
    const desk = await deskWithTwo(db);
    const long = longFile(
      ['s-1,ann,100.00,USD,2026-01-12'],
      ['s-1,ann,100.00,USD,2026-01-12', 's-2,nobody,1.00,USD,2026-01-12'],
      '',
    );
    const { counts } = await desk.land('sales', long);
    expect(counts).toMatchObject({ recorded: batchRows + 1, duplicates: 1, rejected: 1 });
    const again = await desk.land('sales', `${long}s-3,ann,5.00,USD,2026-01-12\n`);
    expect(again.counts).toMatchObject({ recorded: 1, duplicates: batchRows + 2, rejected: 1 });
    expect(await audited(desk.world)).toEqual([]);
  });
});
