import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { newId } from '../ids.ts';
import type { Mover } from '../ledger/journal.ts';
import { formatAmount } from '../money.ts';
import type { FoundEncoding } from './files/encoding.ts';
import type { PreviewRow } from './preview-rows.ts';
import type { UnusedColumn } from './sales/unused-columns.ts';
import type { Evidence } from './values/styles.ts';

/** What a person looks at before a file is imported: how it was read, and what it would do for whom. */
export interface Preview {
  encoding: FoundEncoding;
  /** Null in a workbook, and in an event log. */
  delimiter: string | null;
  /** Null in an event log. */
  header_line: number | null;
  /** What showed how a column is written; columns that a source speaks of are not among them. */
  styles: Evidence[];
  /** The first rows, each cell of a field as it was written and as it was understood; e-mail addresses are hidden. */
  rows: PreviewRow[];
  /** Of a sales file: columns that may decide what a row means, and that nothing uses. */
  not_used: UnusedColumn[];
  /** Of an event log: how many lines there are of each type, the most first, and whether events of it are read. */
  event_types: { type: string; lines: number; read: boolean }[];
  /** The affiliates with the highest commissions, per currency, less what is refunded; amounts are exact decimals. */
  affiliates: {
    affiliate: string;
    currency: string;
    sales: string;
    commissions: string;
    commission_currency: string;
    rows: number;
  }[];
}

const topAffiliates = 10;

/**
 * The preview of a file whose sales were recorded, in the transaction that is rolled back, as the import `importId` of
 * the mover's moment.
 */
export async function previewOf(
  session: Session,
  mover: Mover,
  importId: string,
  read: Omit<Preview, 'affiliates'>,
): Promise<Preview> {
  return {
    ...read,
    rows: read.rows.map(storableRow),
    not_used: read.not_used.map((one) => ({
      ...one,
      column: storable(one.column),
      values: one.values.map(({ value, rows }) => ({ value: storable(value), rows })),
      summary: storable(one.summary),
    })),
    event_types: read.event_types.map((one) => ({ ...one, type: storable(one.type) })),
    affiliates: await affiliatesOf(session, mover, importId),
  };
}

async function affiliatesOf(
  session: Session,
  { accountId, now }: Mover,
  importId: string,
): Promise<Preview['affiliates']> {
  // The ids of what an import records begin with its moment: of the account's sales, only those of it are looked at.
  const moment = newId(now).slice(0, 13);
  const isOfImport = (row: string) => sql`
    ${sql.ref(`${row}.account_id`)} = ${accountId} and ${sql.ref(`${row}.import_id`)} = ${importId} and ${sql.ref(`${row}.id`)}
      between (${moment} || '-0000-0000-000000000000')::uuid and (${moment} || '-ffff-ffff-ffffffffffff')::uuid`;
  const top = await sql<{
    affiliate: string;
    currency: string;
    sales: bigint;
    commissions: bigint;
    commission_currency: string;
    rows: number;
  }>`/* imports.preview.affiliates */
    with line as (
      select c.affiliate_id, c.currency, c.amount, m.amount as commission, coalesce(m.currency, c.currency) as commission_currency,
        1 as rows
      from conversion c
      left join commission m on m.account_id = c.account_id and m.id = c.id
      where ${isOfImport('c')}
      union all
      select c.affiliate_id, c.currency, -r.amount, reversal.amount, coalesce(m.currency, c.currency), 0
      from refund r
      join conversion c on c.account_id = r.account_id and c.id = r.conversion_id
      left join commission m on m.account_id = c.account_id and m.id = c.id
      left join commission reversal on reversal.account_id = r.account_id and reversal.id = r.id
      where ${isOfImport('r')}
    )
    select a.ref as affiliate, line.currency, sum(line.amount)::bigint as sales,
      coalesce(sum(line.commission), 0)::bigint as commissions, line.commission_currency, sum(line.rows)::integer as rows
    from line join affiliate a on a.account_id = ${accountId} and a.id = line.affiliate_id
    group by a.ref, line.currency, line.commission_currency
    order by coalesce(sum(line.commission), 0) desc, sum(line.amount) desc, a.ref collate "C" limit ${topAffiliates}`.execute(
    session.sql,
  );
  return top.rows.map((row) => ({
    ...row,
    sales: formatAmount(row.sales, row.currency),
    commissions: formatAmount(row.commissions, row.commission_currency),
  }));
}

function storableRow({ line, cells, fault }: PreviewRow): PreviewRow {
  return {
    line,
    cells: cells.map(({ column, raw, field, understood: read }) => ({
      column: storable(column),
      raw: storable(raw),
      field,
      understood: storable(read),
    })),
    fault: fault && { ...fault, message: storable(fault.message) },
  };
}

/** Text as the history of runs can keep it: a NUL is shown as its sign, half a character as one that is none. */
function storable(text: string): string {
  return text.replaceAll('\0', '\u2400').toWellFormed();
}
