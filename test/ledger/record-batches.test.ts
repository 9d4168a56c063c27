import { describe, expect, test } from 'vitest';
import { batchRows } from '../../src/imports/batches.ts';
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
});
