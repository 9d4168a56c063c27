import { describe, expect, test } from 'vitest';
import { audited, booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { deskWithTwo, header } from './selling.ts';

const { db } = await testDatabase();

// Three batches: a short one, a whole one, and the rest.
const sales = Array.from({ length: 27_000 }, (_, n) => {
  const day = String((n % 28) + 1).padStart(2, '0');
  return `s-${n * 7919},${n % 3 ? 'ann' : 'bob'},${n}.50,USD,2026-01-${day}`;
});
const [inFirst, inSecond, inThird] = [10, 12_000, 26_000];
const fileOf = (rows: string[], more = '') => `${[header + more, ...rows].join('\n')}\n`;

/** How the rows of a file that was imported before end, with these in the places of others; without zeros. */
async function again(desk: Desk, changes: Record<number, string> = {}): Promise<Record<string, number>> {
  const rows = sales.map((row, n) => changes[n] ?? row);
  const { counts } = await desk.land('sales', fileOf(rows), { again: true });
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

// Each customer is one affiliate’s.
const ofCustomers = sales.map((row, n) => `${row},c-${n % 501}`);

describe('a file of several batches that comes again', () => {
  test('is nothing but duplicates, however often it comes, and leaves the ledger as it was', async () => {
    const desk = await deskWithTwo(db);
    await desk.land('sales', fileOf(sales));
    const before = await booked(desk.world);
    for (let time = 0; time < 2; time += 1)
      expect(await again(desk)).toEqual({ rows: sales.length, duplicates: sales.length });
    expect(await booked(desk.world)).toEqual(before);
    expect(await audited(desk.world)).toEqual([]);
  });

  test.each([
    ['first', inFirst],
    ['second', inSecond],
    ['third', inThird],
  ])('records the sale that is new in its %s batch', async (_, place) => {
    const desk = await deskWithTwo(db);
    await desk.land('sales', fileOf(sales));
    const ended = await again(desk, { [place]: 'new,ann,7.00,USD,2026-02-01' });
    expect(ended).toEqual({ rows: sales.length, recorded: 1, duplicates: sales.length - 1 });
    expect((await booked(desk.world)).get('new')).toMatchObject({ affiliate: 'ann', amount: 700n });
  });

  test('keeps conflicts and moves sales along wherever they stand', async () => {
    const desk = await deskWithTwo(db);
    const open = `open,ann,5.00,USD,2026-01-05`;
    const states = (rows: string[], state: string) =>
      fileOf(
        rows.map((row) => `${row},${row.startsWith('open') ? state : 'complete'}`),
        ',sales_status',
      );
    await desk.land('sales', states([...sales, open], 'open'));
    const changed = sales.map((row, n) => (n === inFirst || n === inThird ? row.replace('.50', '.51') : row));
    const { counts } = await desk.land('sales', states([...changed, open], 'complete'), { again: true });
    expect(counts).toMatchObject({ conflicts: 2, updated: 1, duplicates: sales.length - 2 });
  });

  test('rejects what is faulty in it, and goes on with the rest', async () => {
    const desk = await deskWithTwo(db);
    await desk.land('sales', fileOf(sales));
    const ended = await again(desk, {
      [inSecond]: 'x,ann,much,USD,2026-02-01',
      [inThird]: 'y,nobody,1.00,USD,2026-02-01',
    });
    expect(ended).toEqual({ rows: sales.length, rejected: 2, duplicates: sales.length - 2 });
  });

  test('says again whose customers belong to another affiliate', async () => {
    const desk = await deskWithTwo(db);
    const [first, ...others] = ofCustomers;
    const mixed = fileOf(
      [first!, ...others.slice(0, 6_000), 's-x,ann,1.00,USD,2026-01-01,c-0'],
      ',customer_id',
    );
    const before = await desk.land('sales', mixed);
    const after = await desk.land('sales', mixed, { again: true });
    expect(after.counts).toMatchObject({ duplicates: 6_002 });
    expect(before.report.warnings).toContainEqual(expect.stringContaining('1 row names another affiliate'));
    expect(after.report.warnings).toEqual(before.report.warnings);
  });
});

test('the same file records what was rejected at first, when its affiliate has become known', async () => {
  const desk = await deskWithTwo(db);
  const carls = sales[inFirst]!.replace(/ann|bob/, 'carl');
  const file = fileOf(
    ofCustomers.map((row, n) => (n === inFirst ? `${carls},carls` : row)),
    ',customer_id',
  );
  expect((await desk.land('sales', file)).counts).toMatchObject({ rejected: 1, recorded: sales.length - 1 });
  await desk.world.affiliate({ ref: 'carl' });
  const { counts } = await desk.land('sales', file, { again: true });
  expect(counts).toMatchObject({ recorded: 1, duplicates: sales.length - 1 });
  expect(await audited(desk.world)).toEqual([]);
});
