import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { connect } from '../../src/db/connect.ts';

/** Raised when Payrun and a yardstick have not come to the same money. */
export class SumsDiffer extends Error {}

/** What a database holds after a piece of work, as one text that is equal for equal books. */
export type Books = string;

/** Raises SumsDiffer, naming the work, unless both books are the same. */
export function assertSame(work: string, ours: Books, theirs: Books): void {
  if (ours !== theirs)
    throw new SumsDiffer(`${work}: the books differ.\n  Payrun:    ${ours}\n  yardstick: ${theirs}`);
}

export interface Compared {
  /** The bare UPDATEs don't write it. */
  withJournal: boolean;
  /** In which line of its file a sale stands; usually compared. */
  withLines?: boolean;
}

/**
 * Counts and sums of conversions, commissions and payouts, each with a sum of hashes over all that must agree row by
 * row, and of the journal. Ids and times of change are left out: they are new each time.
 */
export async function booksOf(url: string, { withJournal, withLines = true }: Compared): Promise<Books> {
  const db = await connect(url, { connections: 1 });
  try {
    const journal = sql`(select json_build_array(count(*), sum(amount), ${digest(
      sql`affiliate_id, currency, movement, from_account, to_account, amount, lines`,
    )}) from posting)`;
    const books = await sql<{ books: string }>`select json_build_object(
      'conversions', (select json_build_array(count(*), sum(amount), ${digest(
        sql`external_id, affiliate_id, amount, currency, occurred_at, fingerprint, ${withLines ? sql`line` : sql`null`},
          sales_status, product_ids, note`,
      )}) from conversion),
      'commissions', (select json_build_array(count(*), sum(m.amount), ${digest(
        sql`c.external_id, m.affiliate_id, m.amount, m.hold_until, m.incentive_id, m.rate_ppm, m.hold_days, m.currency,
          m.status, m.payout_id is null`,
      )}) from commission m join conversion c on c.account_id = m.account_id and c.id = m.id),
      'payouts', (select json_build_array(count(*), sum(amount), ${digest(
        sql`affiliate_id, amount, currency, destination, lines`,
      )}) from payout),
      'journal', ${withJournal ? journal : sql`null`}
    )::text as books`.execute(db.sql);
    return books.rows[0]!.books;
  } finally {
    await db.close();
  }
}

function digest(columns: ReturnType<typeof sql>) {
  return sql`sum(hashtextextended(concat_ws('|', ${columns}), 0)::numeric)`;
}

/** Rows after the header, and the sum of the column `amount` in minor units, of a payout report with details. */
export async function reportSums(file: string): Promise<Books> {
  let rows = -1;
  let sum = 0n;
  let column = -1;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const cells = line.split(',');
    if (column === -1) column = cells.indexOf('amount');
    else sum += BigInt(cells[column]!.replace('.', ''));
    rows += 1;
  }
  return `${rows} rows, ${sum}`;
}
