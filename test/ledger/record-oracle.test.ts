import fc from 'fast-check';
import { expect, test } from 'vitest';
import { audited, booked } from '../support/books.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { decimalText, type Entry, Oracle, type OracleTerms } from '../support/oracle.ts';
import { holds } from '../support/property.ts';
import { csvOf, type DreamtWorld, dreamtWorld } from '../support/worlds.ts';
import { dreamtDesk } from './dreamt-desk.ts';

const { db } = await testDatabase();

test('whatever is sold by whom under which rules, the ledger writes what the rules in prose say, to the cent', async () => {
  await holds(
    fc.asyncProperty(dreamtWorld, async (dreamt) => {
      const desk = await dreamtDesk(db, dreamt);
      const oracle = new Oracle(await termsOf(desk, dreamt));
      for (const file of dreamt.files) {
        const verdicts = oracle.take(file);
        const { counts } = await desk.land('sales', csvOf(file), { again: true });
        const count = (verdict: string) => verdicts.filter((one) => one === verdict).length;
        expect(counts).toEqual({
          rows: file.length,
          recorded: count('recorded'),
          updated: count('updated'),
          duplicates: count('duplicates'),
          conflicts: count('conflicts'),
          rejected: count('rejected'),
          parked: 0,
          ignored: 0,
        });
      }
      const books = await booked(desk.world);
      expect([...books.values()].map(seen)).toEqual(
        [...oracle.book.values()]
          .map((entry) => expected(entry, dreamt))
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
      );
      expect(await audited(desk.world)).toEqual([]);
    }),
    Number(process.env.PAYRUN_WORLDS ?? 40),
  );
});

async function termsOf({ world }: Desk, { terms }: DreamtWorld): Promise<OracleTerms> {
  const rows = await db.sql
    .selectFrom('incentive')
    .select(['ref', 'id'])
    .where('account_id', '=', world.accountId)
    .execute();
  const ids = new Map(rows.map((row) => [row.ref, row.id]));
  return { ...terms, incentives: terms.incentives.map((one) => ({ ...one, id: ids.get(one.ref)! })) };
}

function expected(entry: Entry, { terms }: DreamtWorld) {
  const { sale, affiliate, status, commission } = entry;
  return {
    id: sale.id,
    affiliate,
    amount: `${decimalText(sale.amount, sale.currency)} ${sale.currency}`,
    status,
    commission: commission && {
      amount: `${decimalText(commission.amount, terms.currency)} ${terms.currency}`,
      incentive: commission.incentive,
      holdDays: commission.holdDays,
      holdUntil: commission.holdUntil.toISOString(),
      status: commission.declined ? 'declined' : 'pending',
    },
  };
}

function seen(
  row: Awaited<ReturnType<typeof booked>> extends Map<string, infer Row> ? Row : never,
): ReturnType<typeof expected> {
  return {
    id: row.external_id,
    affiliate: row.affiliate,
    amount: `${decimalText(row.amount, row.currency)} ${row.currency}`,
    status: row.sales_status as Entry['status'],
    commission:
      row.commission === null
        ? undefined
        : {
            amount: `${decimalText(row.commission, row.commission_currency!)} ${row.commission_currency}`,
            incentive: row.incentive,
            holdDays: row.hold_days!,
            holdUntil: row.hold_until!.toISOString(),
            status: row.commission_status as 'pending' | 'declined',
          },
  };
}
