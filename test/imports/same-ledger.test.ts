import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { expect, test } from 'vitest';
import { dreamtDesk } from '../ledger/dreamt-desk.ts';
import { deskWithTwo, header } from '../ledger/selling.ts';
import { testDatabase } from '../support/database.ts';
import type { Desk } from '../support/desk.ts';
import { ledgerOf } from '../support/ledger-of.ts';
import { decimalText, type OracleSale } from '../support/oracle.ts';
import { holds } from '../support/property.ts';
import { csvOf, type DreamtWorld, dreamtWorld } from '../support/worlds.ts';

const { db } = await testDatabase();

/** How a table can be written down without saying anything else. */
const layout = fc.record({
  encoding: fc.constantFrom('utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'macroman'),
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnds: fc.constantFrom(['\n'], ['\r\n'], ['\r'], ['\n', '\r\n']),
  quoted: fc.boolean(),
  hasSeparatorLine: fc.boolean(),
  isMarked: fc.boolean(),
});
type Layout = typeof layout extends fc.Arbitrary<infer Value> ? Value : never;
const plain: Layout = {
  encoding: 'utf-8',
  delimiter: ',',
  lineEnds: ['\n'],
  quoted: false,
  hasSeparatorLine: false,
  isMarked: false,
};

/** Parts of a sale that are refunded, by rows of their own or as the refunded total beside it. */
const refunds = fc.record({
  shares: fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 3 }),
  isWhole: fc.boolean(),
  isTotal: fc.boolean(),
});

interface File {
  world: DreamtWorld;
  header: string[];
  rows: string[][];
}

/** Sales of a dreamt world with their refunds: no id comes with other facts, no rule counts payments. */
const file: fc.Arbitrary<File> = fc
  .tuple(dreamtWorld, fc.array(refunds, { minLength: 30, maxLength: 30 }))
  .map(([dreamt, plans]) => {
    const sales = [...new Map(dreamt.files.flat().map((one) => [one.id, one])).values()];
    return fileOf(
      ruledBy(dreamt, (one) => !one.payments),
      sales,
      plans,
    );
  });

/**
 * The same, where no file need know what another one says: every sale names its affiliate, a customer has one
 * affiliate, and no rule counts months from the first sale that is known.
 */
const divisible: fc.Arbitrary<File> = fc
  .tuple(dreamtWorld, fc.array(refunds, { minLength: 30, maxLength: 30 }))
  .map(([dreamt, plans]) => {
    const sales = dreamt.files.flat().map(({ affiliate = 'ann', customer, ...one }) => ({
      ...one,
      affiliate,
      customer: customer && `${customer}-${affiliate}`,
    }));
    const once = [...new Map(sales.map((one) => [one.id, one])).values()];
    return fileOf(
      ruledBy(dreamt, (one) => !one.payments && !one.months),
      once,
      plans,
    );
  });

type Incentive = DreamtWorld['terms']['incentives'][number];

/** The world with these incentives only, each of another priority: the ids that decide a tie differ from desk to desk. */
function ruledBy(dreamt: DreamtWorld, isKept: (incentive: Incentive) => boolean): DreamtWorld {
  const incentives = dreamt.terms.incentives.filter(isKept).map((one, priority) => ({ ...one, priority }));
  return { ...dreamt, terms: { ...dreamt.terms, incentives } };
}

type Plan = typeof refunds extends fc.Arbitrary<infer Value> ? Value : never;

function fileOf(world: DreamtWorld, sales: OracleSale[], plans: Plan[]): File {
  const [names, ...cells] = csvOf(sales)
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const header = [...names!, 'refund_of', 'refunded_total'];
  const at = (name: string) => header.indexOf(name);
  const rows = cells.flatMap((sale, index) => {
    const { id, amount, currency, at: soldAt } = sales[index]!;
    const parts = partsOf(amount, plans[index]!);
    const isTotal = plans[index]!.isTotal && parts.length > 0;
    const total = isTotal ? decimalText(sum(parts), currency) : '';
    // Letters that every encoding has in another way.
    sale[at('customer_id')] &&= `é-${sale[at('customer_id')]}`;
    const taken = parts.map((part, place) => {
      const row = header.map(() => '');
      row[at('external_id')] = `r-${id}-${place}`;
      row[at('refund_of')] = id;
      row[at('amount')] = decimalText(part, currency);
      row[at('currency')] = currency;
      row[at('occurred_at')] = new Date(soldAt.getTime() + (place + 1) * 3_600_000).toISOString();
      return row;
    });
    return [[...sale, '', total], ...(isTotal ? [] : taken)];
  });
  return { world, header, rows };
}

/** Parts of `amount` that are at least 1 and together no more than it, or all of it. */
function partsOf(amount: bigint, { shares, isWhole }: Plan): bigint[] {
  const whole = BigInt(shares.reduce((all, share) => all + share, 0));
  if (whole === 0n) return [];
  const parts = shares.map((share) => (amount * BigInt(share)) / (isWhole ? whole : whole * 2n));
  if (isWhole) parts[0]! += amount - sum(parts);
  return parts.filter((part) => part > 0n);
}

function sum(parts: bigint[]): bigint {
  return parts.reduce((all, part) => all + part, 0n);
}

function bytesOf(rows: string[][], style: Layout): Buffer {
  const { delimiter, quoted, lineEnds, encoding } = style;
  const ends = (_: string, index: number) => lineEnds[index % lineEnds.length]!;
  const lines = rows.map(
    (row, index) => stringify([row], { delimiter, quoted, eof: false }) + ends('', index),
  );
  const sep = style.hasSeparatorLine ? [`sep=${delimiter}${lineEnds[0]}`] : [];
  const isUnicode = encoding.startsWith('utf');
  return iconv.encode([...sep, ...lines].join(''), encoding, { addBOM: isUnicode && style.isMarked });
}

/** Imports the rows, written in `style`, of a file whose header stands above them. */
async function land(desk: Desk, { header }: File, rows: string[][], style: Layout): Promise<void> {
  if (rows.length === 0) return;
  const source = style.encoding === 'macroman' ? 'mac' : 'own';
  const { counts } = await desk.land('sales', bytesOf([header, ...rows], style), { source, again: true });
  const { rows: read, ...ended } = counts;
  expect(Object.values(ended).reduce((all, count) => all + count)).toBe(read);
  expect(read).toBe(rows.length);
  expect(counts.conflicts).toBe(0);
}

const deskOf = ({ world }: File) =>
  dreamtDesk(db, world, [{ ref: 'mac', kind: 'sales_csv', decimal: '.', encoding: 'macroman' }]);

const whole = async (given: File) => {
  const desk = await deskOf(given);
  await land(desk, given, given.rows, plain);
  return ledgerOf(desk.world);
};

/** The rows of a file in another order, some of them twice or more often. */
function shuffled(given: File, picks: number[]): string[][] {
  const places = [...given.rows.keys(), ...picks.slice(0, 8).map((pick) => pick % given.rows.length)];
  const order = places.map((place, index) => ({ place, key: picks[index % picks.length]! ^ (index * 7919) }));
  return order.sort((a, b) => a.key - b.key).map(({ place }) => given.rows[place]!);
}

const picks = fc.array(fc.nat(1_000_000), { minLength: 8, maxLength: 40 });

test('whatever the order of its rows, however often they stand there, and however it is written, a file gives the same ledger', async () => {
  await holds(
    fc.asyncProperty(file, picks, layout, async (given, order, style) => {
      const desk = await deskOf(given);
      await land(desk, given, shuffled(given, order), style);
      expect(await ledgerOf(desk.world)).toEqual(await whole(given));
      await land(desk, given, shuffled(given, order.toReversed()), plain);
      expect(await ledgerOf(desk.world)).toEqual(await whole(given));
    }),
    12,
  );
});

test('cut in two, whichever part comes first, a file gives the same ledger', async () => {
  await holds(
    fc.asyncProperty(divisible, picks, fc.nat(), layout, layout, async (given, order, cut, one, other) => {
      const rows = shuffled(given, order);
      const border = cut % (rows.length + 1);
      const desk = await deskOf(given);
      await land(desk, given, rows.slice(0, border), one);
      await land(desk, given, rows.slice(border), other);
      expect(await ledgerOf(desk.world)).toEqual(await whole(given));
    }),
    12,
  );
});

/** The ledger of a file of these sales to customers, on a desk of its own. */
async function ledgerOfSales(rows: string[]) {
  const desk = await deskWithTwo(db);
  await desk.land('sales', `${header},customer_id\n${rows.join('\n')}\n`);
  return ledgerOf(desk.world);
}

test('of two affiliates whose sales to one customer are of the same moment, the same one has the customer in any order', async () => {
  const rows = [
    's-1,bob,10.00,USD,2026-01-10,c1',
    's-2,ann,10.00,USD,2026-01-10,c1',
    's-3,,10.00,USD,2026-01-11,c1',
  ];
  expect(await ledgerOfSales(rows.toReversed())).toEqual(await ledgerOfSales(rows));
});

test('whose a customer is does not depend on where in a long file the first sale stands', async () => {
  const between = Array.from({ length: 6_000 }, (_, at) => `s-${at},ann,1.00,USD,2026-01-10,x${at}`);
  const rows = [
    'a-1,bob,10.00,USD,2026-01-10,c1',
    ...between,
    'z-2,ann,10.00,USD,2026-01-09,c1',
    'z-3,,10.00,USD,2026-01-11,c1',
  ];
  expect(await ledgerOfSales(rows.toReversed())).toEqual(await ledgerOfSales(rows));
});
