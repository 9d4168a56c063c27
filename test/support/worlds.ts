import fc from 'fast-check';
import type { OracleIncentive, OracleSale, OracleTerms } from './oracle.ts';
import { decimalText } from './oracle.ts';

/** A programme, its people and files of sales, none of which exists yet. */
export interface DreamtWorld {
  terms: Omit<OracleTerms, 'incentives'> & { incentives: Omit<OracleIncentive, 'id'>[] };
  files: OracleSale[][];
}

/** Days next to changes of clocks in Berlin and New York, ends of months, and a leap in between. */
const days = [
  '2026-01-31',
  '2026-02-27',
  '2026-03-07',
  '2026-03-28',
  '2026-04-30',
  '2026-08-31',
  '2026-10-24',
  '2026-10-31',
];
const minutes = [0, 30, 59, 60, 90, 150, 390, 420, 450, 720, 1410];
const percents = ['0', '0.0001', '0.5', '7.77', '12.5', '20', '33.3333', '100'];
const rates = ['0.0067', '0.5', '1', '1.0832', '151.235', '0.000000000001'];

const currency = fc.constantFrom('USD', 'JPY', 'KWD');
const holdDays = fc.option(fc.constantFrom(0, 1, 28, 29, 30, 45, 150), { nil: undefined });
const rule = fc.oneof(
  fc.constantFrom(...percents).map((percent) => ({ percent })),
  fc.bigInt({ min: 0n, max: 5000n }).map((fixed) => ({ fixed })),
);
const some = (...from: string[]) => fc.subarray(from, { minLength: 1 });

const incentive = fc
  .record({
    rule,
    products: fc.option(some('p1', 'p2'), { nil: undefined, freq: 2 }),
    prices: fc.option(some('x', 'y'), { nil: undefined, freq: 1 }),
    interval: fc.option(fc.constantFrom('monthly', 'yearly'), { nil: undefined, freq: 1 }),
    subscriptionOnly: fc.boolean(),
    holdDays,
    duration: fc.constantFrom<{ months?: number; payments?: number }>(
      {},
      {},
      { months: 1 },
      { months: 6 },
      { payments: 1 },
      { payments: 2 },
    ),
    priority: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ rule: by, duration, ...rest }) => ({ ...rest, ...by, ...duration }));

const affiliate = fc.record({
  status: fc.constantFrom('active', 'active', 'active', 'pending', 'paused', 'banned'),
  override: fc.option(fc.constantFrom(...percents), { nil: undefined, freq: 1 }),
});

const sale = fc.record({
  id: fc.integer({ min: 1, max: 16 }).map((n) => `s-${n}`),
  affiliate: fc.constantFrom('ann', 'ann', 'bob', 'bob', undefined),
  customer: fc.constantFrom('c1', 'c2', undefined),
  amount: fc.oneof(
    fc.constantFrom(0n, 1n, 5n, 50n, 10_050n, 9_000_000_000_000n),
    fc.bigInt({ min: 0n, max: 999_999n }),
  ),
  currency: fc.option(currency, { nil: undefined, freq: 1 }),
  at: fc
    .tuple(fc.constantFrom(...days), fc.constantFrom(...minutes))
    .map(([day, minute]) => new Date(Date.parse(`${day}T00:00:00Z`) + minute * 60_000)),
  products: fc.subarray(['p1', 'p2', 'p3']),
  prices: fc.subarray(['x', 'y']),
  interval: fc.constantFrom('monthly', 'yearly', undefined),
  subscription: fc.boolean(),
  status: fc.constantFrom('complete', 'complete', undefined, 'open', 'trialing', 'failed') as fc.Arbitrary<
    OracleSale['status']
  >,
  holdDays,
});

/** Doubles are mostly the sale itself, sometimes with one thing changed: what a second export looks like. */
const again = fc.record({
  of: fc.nat(),
  change: fc.constantFrom<Partial<OracleSale>>(
    {},
    {},
    { status: 'complete' },
    { status: undefined },
    { status: 'failed' },
    { status: 'open' },
    { status: 'trialing' },
    { amount: 7n },
    { affiliate: 'bob' },
    { products: ['p3'] },
    { holdDays: 3, prices: [] },
  ),
});

export const dreamtWorld: fc.Arbitrary<DreamtWorld> = fc
  .record({
    program: fc.record({
      currency,
      timezone: fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Tokyo'),
      holdDays: fc.constantFrom(0, 1, 30, 153),
      commission: fc.option(rule, { nil: undefined, freq: 4 }),
      rounding: fc.constantFrom('half_up', 'half_even') as fc.Arbitrary<OracleTerms['rounding']>,
      rates: fc.record({
        USD: fc.constantFrom(...rates),
        JPY: fc.constantFrom(...rates),
        KWD: fc.constantFrom(...rates),
      }),
    }),
    incentives: fc.array(incentive, { maxLength: 4 }),
    affiliates: fc.record({ ann: affiliate, bob: affiliate }),
    sales: fc.array(fc.tuple(sale, fc.option(again, { freq: 2 })), { minLength: 1, maxLength: 30 }),
    border: fc.nat(30),
  })
  .map(({ program, incentives, affiliates, sales, border }) => {
    const rows: OracleSale[] = [];
    for (const [fresh, double] of sales) {
      const origin = double ? rows[double.of % Math.max(1, rows.length)] : undefined;
      // A minor unit of one currency can be worth more of another than the ledger holds; such sales are made small.
      const amount = fresh.currency === undefined ? fresh.amount : fresh.amount % 1_000_000n;
      rows.push(
        origin
          ? { ...origin, ...double?.change }
          : { ...fresh, amount, currency: fresh.currency ?? program.currency },
      );
    }
    return {
      terms: {
        ...program,
        affiliates,
        incentives: incentives.map((one, index) => ({ ...one, ref: `i-${index}` })),
      },
      files: [rows.slice(0, border), rows.slice(border)].filter((file) => file.length > 0),
    };
  });

/** A sale as a row of the canonical layout, with `lines` of rates.csv for every day that it may need. */
export function csvOf(file: OracleSale[]): string {
  const header =
    'external_id,affiliate,amount,currency,occurred_at,customer_id,product_ids,price_ids,interval,is_subscription,sales_status,hold_days';
  const rows = file.map((one) =>
    [
      one.id,
      one.affiliate ?? '',
      decimalText(one.amount, one.currency),
      one.currency,
      one.at.toISOString(),
      one.customer ?? '',
      one.products.join(';'),
      one.prices.join('|'),
      one.interval ?? '',
      one.subscription ? 'yes' : 'no',
      one.status ?? '',
      one.holdDays ?? '',
    ].join(','),
  );
  return `${[header, ...rows].join('\n')}\n`;
}

/** The lines of rates.csv for every day on which one of the sales may fall. */
export function ratesOf({ terms }: DreamtWorld): string[] {
  const around = days.flatMap((day) =>
    [-1, 0, 1].map((step) => new Date(Date.parse(day) + step * 86_400_000).toISOString().slice(0, 10)),
  );
  const others = Object.entries(terms.rates).filter(([from]) => from !== terms.currency);
  return others.flatMap(([from, rate]) =>
    [...new Set(around)].map((day) => `${from},${terms.currency},${day},${rate},the test`),
  );
}
