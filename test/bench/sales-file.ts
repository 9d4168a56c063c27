import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const affiliates = 1_000;
/** A prime: multiples of a number that it does not divide meet each remainder once, in no order. */
const externalIds = 10_000_019;
const firstSale = Date.parse('2025-01-01T00:00:00Z');
const days = 90;

/** When every hold of the file has ended, and a monthly payout period that contains all ends has closed. */
export const afterAllHolds = '2025-06-01T00:00:00+02:00';

const products = ['prod_basic', 'prod_basic', 'prod_basic', 'prod_team', 'prod_pro'];
const notes = ['offline sale', 'trade fair', '"fair, booth 12"', 'by telephone', 'renewal 2025'];

/** The configuration that the sales are recorded under: one programme, one incentive for one of the products. */
export const configuration = {
  accounts: [
    {
      ref: 'acme',
      name: 'Acme Inc.',
      programs: [
        {
          ref: 'main',
          name: 'Acme Partners',
          currency: 'USD',
          timezone: 'Europe/Berlin',
          hold_days: 30,
          commission: { percent: '20' },
          payout_approval: 'automatic',
          incentives: [{ ref: 'pro', percent: '30', product_ids: ['prod_pro'], hold_days: 45 }],
        },
      ],
    },
  ],
};

/** Writes a CSV of affiliates, all active and paid by PayPal. */
export async function writeAffiliates(file: string): Promise<void> {
  const lines = Array.from({ length: affiliates }, (_, index) => {
    const ref = refOf(index);
    return `${ref},Partner ${index + 1},${ref}@example.com,active,paypal,${ref}@example.com\n`;
  });
  await writeFile(file, `ref,name,email,status,payout_method,payout_destination\n${lines.join('')}`);
}

/** Writes a CSV of `rows` sales, about 100 bytes each, the same ones every time; few affiliates have most of them. */
export async function writeSales(file: string, rows: number): Promise<void> {
  await pipeline(Readable.from(salesText(rows)), createWriteStream(file));
}

function* salesText(rows: number): Generator<string> {
  yield 'external_id,affiliate,amount,currency,occurred_at,product_ids,sales_status,note\n';
  const random = seeded(20_250_101);
  const below = (limit: number) => Math.floor(random() * limit);
  let piece = '';
  for (let row = 0; row < rows; row += 1) {
    const id = String((row * 7_368_787) % externalIds).padStart(8, '0');
    const affiliate = refOf(Math.floor(random() ** 2 * affiliates));
    const cents = 500 + below(49_500);
    const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
    const at = new Date(firstSale + below(days * 86_400) * 1_000).toISOString().replace('.000Z', 'Z');
    const product = products[below(products.length)];
    const note = notes[below(notes.length)];
    piece += `INV-2025-${id},${affiliate},${amount},USD,${at},${product},complete,${note}\n`;
    if (piece.length < 1 << 16) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function refOf(index: number): string {
  return `partner-${String(index + 1).padStart(4, '0')}`;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
