import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { affiliateRefs, customersIn, sales } from './sales.ts';
import type { Layout } from './sales-layouts.ts';

const pieceLength = 1 << 16;

/** Writes a file of `rows` sales, the same ones in every layout, however many: they are never in memory together. */
export async function writeSales(file: string, rows: number, { header, lineOf }: Layout): Promise<void> {
  await write(file, header, sales(rows), lineOf);
}

/** Writes a CSV of the affiliates, all active and paid by PayPal. */
export async function writeAffiliates(file: string): Promise<void> {
  const header = 'ref,name,email,status,payout_method,payout_destination\n';
  await write(file, header, affiliateRefs, (ref) => {
    const name = `Partner ${Number(ref.slice(-4))}`;
    return `${ref},${name},${ref}@example.com,active,paypal,${ref}@example.com\n`;
  });
}

/** Writes a CSV of the referrals whose customers buy in `rows` sales. */
export async function writeReferrals(file: string, rows: number): Promise<void> {
  await write(
    file,
    'affiliate,customer_id,status\n',
    customersIn(rows),
    (one) => `${one.affiliate},${one.customer},lead\n`,
  );
}

async function write<T>(
  file: string,
  header: string,
  rows: Iterable<T>,
  lineOf: (row: T) => string,
): Promise<void> {
  function* pieces(): Generator<string> {
    let piece = header;
    for (const row of rows) {
      piece += lineOf(row);
      if (piece.length < pieceLength) continue;
      yield piece;
      piece = '';
    }
    yield piece;
  }
  await pipeline(Readable.from(pieces()), createWriteStream(file));
}
