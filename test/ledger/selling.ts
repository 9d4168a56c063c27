import type { Db } from '../../src/db/connect.ts';
import { booked } from '../support/books.ts';
import { type Desk, type DeskSettings, openDesk } from '../support/desk.ts';

/** The columns that every sale has; more may follow. */
export const header = 'external_id,affiliate,amount,currency,occurred_at';

/** A staged sale of Ann's without its id, of 100.00 USD. */
export const ordinarySale = {
  affiliate: 'ann',
  amount: 10_000n,
  currency: 'USD',
  occurredAt: '2026-01-10T10:00:00Z',
  occurredAtGiven: true,
  salesStatus: 'complete',
} as const;

/** A desk that knows Ann, and Bob, whose override is 40 %. */
export async function deskWithTwo(db: Db, settings: DeskSettings = {}): Promise<Desk> {
  const desk = await openDesk(db, settings);
  await desk.world.affiliate({ ref: 'ann' });
  await desk.world.affiliate({ ref: 'bob', override_ppm: 400_000 });
  return desk;
}

/** Desks like that one, whose programme has the given terms, and rates.csv the given lines. */
export function ruledDesks(db: Db) {
  return (program: Record<string, unknown>, rates?: string[]): Promise<Desk> =>
    deskWithTwo(db, { program, sources: [withPoint], ...(rates ? { rates } : {}) });
}

/** Payrun's own columns; dinars such as 1.500 prove no decimal mark of their own. */
export const withPoint = { ref: 'own', kind: 'sales_csv', decimal: '.' };

/** Imports rows in the canonical layout, with more columns when they are named; how they ended, without zeros. */
export async function land(desk: Desk, rows: string[], more = '') {
  const text = `${[header + more, ...rows].join('\n')}\n`;
  const { counts, report } = await desk.land('sales', text, { again: true });
  const ended = Object.entries(counts).filter(([name, count]) => name !== 'rows' && count > 0);
  return {
    ...Object.fromEntries(ended),
    differences: report.conflict_rows.map(({ difference }) => difference),
  };
}

/** The same for rows without their id: they become `s-1`, `s-2`, … */
export async function landNumbered(desk: Desk, more: string, ...rows: string[]): Promise<void> {
  await land(
    desk,
    rows.map((row, index) => `s-${index + 1},${row}`),
    more,
  );
}

/** By which rule each sale earned, and what: `pro 3000`, `default 2000`, or why nothing. */
export async function earned(desk: Desk): Promise<Record<string, string>> {
  const rows = [...(await booked(desk.world)).values()];
  return Object.fromEntries(
    rows.map((row) => [
      row.external_id,
      row.commission === null
        ? row.no_commission_reason!
        : `${row.incentive ?? 'default'} ${row.commission}${row.overridden ? ' overridden' : ''}`,
    ]),
  );
}
