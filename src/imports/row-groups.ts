import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { faultMessage } from './faults.ts';
import { hidden } from './hidden.ts';

/** Rows that ended in the same way for the same reason; the message is about the first of them. */
export interface RowGroup {
  code: string;
  field: string;
  rows: number;
  first_line: number;
  message: string;
}

/** How many groups a report lists; the rejects file has all rejected rows. */
const listed = 20;

/** The rejected rows of the import under way, the largest group first. */
export async function rejectedGroups(session: Session, rejected: number): Promise<RowGroup[]> {
  if (rejected === 0) return [];
  const groups = await sql<{ code: string; field: string; rows: number; line: number; found: string }>`
    /* imports.rejected_groups */
    select code, coalesce(field, '') as field, count(*)::integer as rows, min(line) as line,
      (array_agg(coalesce(found, '') order by line))[1] as found
    from outcome where verdict = 'rejected'
    group by code, coalesce(field, '') order by count(*) desc, min(line) limit ${listed}`.execute(
    session.sql,
  );
  return groups.rows.map(({ code, field, rows, line, found }) => ({
    code,
    field,
    rows,
    first_line: line,
    message: faultMessage(code, field, hidden(found)),
  }));
}

/** What rows wait for, by code; `found` is the id by which it will be known. */
const waiting = {
  'customer-unknown': {
    field: 'customer_id',
    message: () =>
      'The customer is not known yet; once an event or an import of referrals names them, it is recorded.',
  },
  'sale-unknown': {
    field: 'refund_of',
    message: (found: string) =>
      `The sale "${hidden(found)}" is not recorded yet; when it is, this is booked.`,
  },
};

/** The rows that the import under way has parked, the largest group first. */
export async function parkedGroups(
  session: Session,
  accountId: number,
  importId: string,
  parked: number,
): Promise<RowGroup[]> {
  if (parked === 0) return [];
  const groups = await sql<{ code: keyof typeof waiting; rows: number; line: number; found: string }>`
    /* imports.parked_groups */
    select code, count(*)::integer as rows, min(line) as line, (array_agg(found order by line))[1] as found
    from (
      select 'customer-unknown' as code, line, '' as found
      from parked_event where account_id = ${accountId} and import_id = ${importId}
      union all
      select 'sale-unknown', line, sale_external_id
      from parked_refund where account_id = ${accountId} and import_id = ${importId}
      union all
      select 'sale-unknown', line, sale_external_id
      from parked_dispute where account_id = ${accountId} and import_id = ${importId}
    ) parked
    group by code order by count(*) desc, min(line)`.execute(session.sql);
  return groups.rows.map(({ code, rows, line, found }) => {
    const { field, message } = waiting[code];
    return { code, field, rows, first_line: line, message: message(found) };
  });
}
