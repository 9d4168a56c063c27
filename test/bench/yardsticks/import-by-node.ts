import { hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';
import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { Temporal } from 'temporal-polyfill';
import type { Tables } from '../../../src/db/tables.ts';
import { newId } from '../../../src/ids.ts';

/*
 * The plain script that one would write without Payrun: csv-parse, and Kysely inserting 1,000 rows at a time.
 *   node import-by-node.ts <sales.csv> <run id>     records it in the database of DATABASE_URL
 */

interface Row {
  external_id: string;
  affiliate: string;
  amount: string;
  currency: string;
  occurred_at: string;
  product_ids: string;
  sales_status: 'complete';
  note: string;
}

const [file, runId] = process.argv.slice(2) as [string, string];
const accountId = 1;
/** Postgres counts its instants from here. */
const startOfPostgres = Date.UTC(2000, 0, 1);
const now = new Date();
const importId = newId(now);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
const program = await db.selectFrom('program').selectAll().executeTakeFirstOrThrow();
const incentives = await db.selectFrom('incentive').selectAll().execute();
const keys = await db.selectFrom('affiliate_key').selectAll().execute();
const affiliates = new Map(keys.map((key) => [key.folded, key.affiliate_id]));
const earned = new Map<string, { amount: bigint; lines: number }>();

await db.transaction().execute(async (transaction) => {
  let line = 1;
  let rows: ReturnType<typeof priced>[] = [];
  for await (const row of createReadStream(file).pipe(parse({ columns: true }))) {
    line += 1;
    rows.push(priced(row, line));
    if (rows.length < 1_000) continue;
    await insert(transaction, rows);
    rows = [];
  }
  if (rows.length > 0) await insert(transaction, rows);
  await post(transaction);
});
await db.destroy();

function priced(row: Row, line: number) {
  const affiliateId = affiliates.get(row.affiliate.toLowerCase());
  if (!affiliateId) throw new Error(`line ${line}: there is no affiliate ${row.affiliate}`);
  const [whole, decimals = ''] = row.amount.split('.');
  const amount = BigInt(whole! + decimals.padEnd(2, '0'));
  const products = row.product_ids.split(';');
  const incentive = incentives.find((one) => one.product_ids?.some((product) => products.includes(product)));
  const ppm = incentive?.rate_ppm ?? program.rate_ppm!;
  const days = incentive?.hold_days ?? program.hold_days;
  const held = Temporal.Instant.from(row.occurred_at).toZonedDateTimeISO(program.timezone).add({ days });
  const shared = {
    account_id: accountId,
    id: newId(new Date()),
    program_id: program.id,
    affiliate_id: affiliateId,
  };
  const occurredAt = new Date(row.occurred_at);
  const conversion = {
    ...shared,
    external_id: row.external_id,
    amount,
    occurred_at: occurredAt,
    fingerprint: fingerprintOf(affiliateId, amount, row.currency, occurredAt, products),
    import_id: importId,
    line,
    occurred_at_given: true,
    currency: row.currency,
    sales_status: row.sales_status,
    product_ids: products,
    note: row.note,
  };
  const commission = {
    ...shared,
    amount: (amount * BigInt(ppm) + 500_000n) / 1_000_000n,
    hold_until: new Date(held.epochMilliseconds),
    status_at: now,
    status_run_id: runId,
    incentive_id: incentive?.id ?? null,
    rate_ppm: ppm,
    hold_days: days,
    overridden: false,
    currency: program.currency,
    status: 'pending' as const,
    rounding: program.rounding,
  };
  return { conversion, commission };
}

/** The bytes that src/ledger/record/fingerprint.ts has Postgres make of the same facts. */
function fingerprintOf(
  affiliateId: string,
  amount: bigint,
  currency: string,
  at: Date,
  products: string[],
): Buffer {
  const numbers = Buffer.alloc(32);
  numbers.write(affiliateId.replaceAll('-', ''), 'hex');
  numbers.writeBigInt64BE(amount, 16);
  numbers.writeBigInt64BE(BigInt(at.getTime() - startOfPostgres) * 1_000n, 24);
  const facts = Buffer.concat([numbers, Buffer.from(currency), Buffer.from(`{${products.join(',')}}`)]);
  return hash('sha256', facts, 'buffer').subarray(0, 16);
}

async function insert(transaction: Transaction<Tables>, rows: ReturnType<typeof priced>[]): Promise<void> {
  const inserted = await transaction
    .insertInto('conversion')
    .values(rows.map((row) => row.conversion))
    .onConflict((conflict) => conflict.columns(['account_id', 'external_id']).doNothing())
    .returning('id')
    .execute();
  const fresh = new Set(inserted.map((row) => row.id));
  const commissions = rows.map((row) => row.commission).filter((commission) => fresh.has(commission.id));
  if (commissions.length === 0) return;
  await transaction
    .insertInto('commission')
    .values(commissions)
    .onConflict((conflict) => conflict.columns(['account_id', 'id']).doNothing())
    .execute();
  for (const { affiliate_id, amount } of commissions) {
    const sum = earned.get(affiliate_id) ?? { amount: 0n, lines: 0 };
    earned.set(affiliate_id, { amount: sum.amount + amount, lines: sum.lines + 1 });
  }
}

async function post(transaction: Transaction<Tables>): Promise<void> {
  const postings = [...earned].map(([affiliateId, sum]) => ({
    account_id: accountId,
    id: newId(new Date()),
    run_id: runId,
    affiliate_id: affiliateId,
    currency: program.currency,
    movement: 'record' as const,
    from_account: 'earned' as const,
    to_account: 'pending' as const,
    ...sum,
    posted_at: now,
  }));
  if (postings.length > 0) await transaction.insertInto('posting').values(postings).execute();
}
