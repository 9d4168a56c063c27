import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { Batch } from './record/batch.ts';
import { bought, movesReferral } from './record/introduce.ts';
import { groups, type PricedSales, priceColumns, pricedSales, type Rows, sumsOf } from './record/price.ts';

/** A batch of sales that stands priced in `priced_sale`. */
export interface PricedBatch {
  rows: number;
  sales: PricedSales;
}

/** Prices the staged sales, and keeps them with their sums until batch `number` of the import is recorded. */
export async function storePriced(
  session: Session,
  accountId: number,
  batch: Batch,
  rows: Rows,
  number: number,
): Promise<PricedBatch> {
  const key = sql`${accountId}::integer, ${batch.importId}::uuid, ${number}::integer`;
  const { steps } = pricedSales(accountId, batch, rows);
  const written = await sql<
    Record<'rows' | 'first' | 'last' | 'first_sum' | 'last_sum', string>
  >`/* ledger.price */
    with ${steps}
    sale as (
      insert into priced_sale (account_id, import_id, batch, ${priceColumns}) select ${key}, ${priceColumns} from priced
      returning ctid, affiliate_id, currency, amount, earned, no_commission_reason
    ),
    grouped as materialized (${groups(sql`, min(ctid) as first, max(ctid) as last`)}),
    sums as (
      insert into priced_sum (account_id, import_id, batch, kind, affiliate_id, currency, amount, lines)
      select ${key}, sums.* from (${sumsOf(batch.program.currency)}) sums
      returning ctid
    )
    select s.*, t.* from
      (select coalesce(sum(lines), 0) as rows, min(first)::text as first, max(last)::text as last from grouped) s,
      (select min(ctid)::text as first_sum, max(ctid)::text as last_sum from sums) t`.execute(session.sql);
  const { rows: count, first, last, first_sum, last_sum } = written.rows[0]!;
  // Where the rows stand is known, so that the tables need no index.
  const of = (
    from: string,
    to: string,
  ) => sql`account_id = ${accountId} and import_id = ${batch.importId}::uuid
    and batch = ${number} and ctid between ${from}::tid and ${to}::tid`;
  return {
    rows: Number(count),
    sales: {
      steps: sql``,
      query: sql`select ${priceColumns} from priced_sale where ${of(first, last)}`,
      sums: sql`select kind, affiliate_id, currency, amount, lines from priced_sum where ${of(first_sum, last_sum)}`,
      isStored: true,
    },
  };
}

/**
 * Adds up what the customers of all priced sales of an import bought, and keeps that until the import is recorded. Returns
 * a query of it, as `bought` gives.
 */
export async function storeBought(
  session: Session,
  accountId: number,
  importId: string,
): Promise<RawBuilder<unknown>> {
  const key = sql`${accountId}::integer, ${importId}::uuid`;
  const ofImport = sql`account_id = ${accountId} and import_id = ${importId}::uuid`;
  const sold = sql`(select referral_id, occurred_at, is_subscription, sales_status from priced_sale where ${ofImport} and ${movesReferral}) sale`;
  await sql`/* ledger.price.bought */
    insert into priced_customer (account_id, import_id, referral_id, first_at, status)
    select ${key}, referral_id, first_at, status from (${bought(sold)}) made`.execute(session.sql);
  return sql`select referral_id, first_at, status from priced_customer where ${ofImport}`;
}

const useOfPriced = sql`7022, 0`;

/** To be taken by the import's transaction before anything is priced for it: while it stands, nobody empties the tables. */
export async function keepPriced(session: Session): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${useOfPriced})`.execute(session.sql);
}

/**
 * Empties the tables, unless an import uses them. Waits for no other import, but for the server's own vacuum, which holds
 * them too and then gives way.
 */
export async function emptyUnused({ sql: query, client }: Session): Promise<void> {
  await client.query("begin; set local lock_timeout = '10s'");
  try {
    const unused = await sql<{
      taken: boolean;
    }>`select pg_try_advisory_xact_lock(${useOfPriced}) as taken`.execute(query);
    // In the order in which those who write them take them.
    if (unused.rows[0]!.taken) await client.query('truncate priced_customer, priced_sale, priced_sum');
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback');
    throw cause;
  }
}
