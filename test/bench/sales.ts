const affiliates = 1_000;
/** A prime: multiples of a number that it does not divide meet each remainder once, in no order. */
const numbers = 10_000_019;
const firstSale = Date.parse('2025-01-01T00:00:00Z');
const days = 90;
/** How often a customer buys, on average. */
const salesOfCustomer = 10;

/** When every hold of the sales has ended, and a monthly payout period that contains all ends has closed. */
export const afterAllHolds = '2025-06-01T00:00:00+02:00';

const products = ['prod_basic', 'prod_basic', 'prod_basic', 'prod_team', 'prod_pro'];
const notes = ['offline sale', 'trade fair', 'fair, booth 12', 'by telephone', 'renewal 2025'];

/** One sale, whatever the file that tells of it. */
export interface Sale {
  /** Eight digits, no two sales the same, in no order. */
  number: string;
  affiliate: string;
  /** Who bought; each customer belongs to one affiliate. */
  customer: string;
  cents: number;
  at: Date;
  product: string;
  note: string;
}

/** The references of all affiliates. */
export const affiliateRefs: readonly string[] = Array.from({ length: affiliates }, (_, index) =>
  refOf(index),
);

/** `rows` sales, the same ones every time; few affiliates have most of them. */
export function* sales(rows: number): Generator<Sale> {
  const random = seeded(20_250_101);
  const below = (limit: number) => Math.floor(random() * limit);
  const customers = customersOfEach(rows);
  for (let row = 0; row < rows; row += 1) {
    const number = String((row * 7_368_787) % numbers).padStart(8, '0');
    const affiliate = refOf(Math.floor(random() ** 2 * affiliates));
    yield {
      number,
      affiliate,
      customer: customerOf(affiliate, row % customers),
      cents: 500 + below(49_500),
      at: new Date(firstSale + below(days * 86_400) * 1_000),
      product: products[below(products.length)]!,
      note: notes[below(notes.length)]!,
    };
  }
}

/** Everyone who may have bought in `rows` sales, beside the affiliate that brought them. */
export function* customersIn(rows: number): Generator<Pick<Sale, 'affiliate' | 'customer'>> {
  const customers = customersOfEach(rows);
  for (const affiliate of affiliateRefs) {
    for (let index = 0; index < customers; index += 1)
      yield { affiliate, customer: customerOf(affiliate, index) };
  }
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function customersOfEach(rows: number): number {
  return Math.ceil(rows / salesOfCustomer / affiliates);
}

function customerOf(affiliate: string, index: number): string {
  return `cus_${affiliate.replace('-', '')}x${index}`;
}

function refOf(index: number): string {
  return `partner-${String(index + 1).padStart(4, '0')}`;
}
