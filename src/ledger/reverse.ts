import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { newIdPrefix } from '../ids.ts';
import type { Mover } from './journal.ts';
import { gather } from './parked.ts';
import { bookRefunds, type Refunded } from './reverse/book.ts';
import { judgeRefunds } from './reverse/judge.ts';
import { refundPrint } from './reverse/print.ts';
import { refundParking } from './reverse/stage.ts';

export { RefundStage, refundParking, type StagedRefund } from './reverse/stage.ts';

export type RefundVerdict = 'recorded' | 'duplicates' | 'conflicts' | 'rejected' | 'parked';

/** How staged refunds ended; each count is of rows. */
export interface Reversed {
  /** The rows that are refunds and nothing else. */
  rows: Record<RefundVerdict, number>;
  /** The rows that are a sale as well, by how the sale and then its refund ended. */
  besideSales: { sale: 'recorded' | 'updated' | 'duplicates'; refund: RefundVerdict; rows: number }[];
  /** Those parked by earlier imports that were tried again: `refused` ones wait on. */
  parked: { recorded: number; duplicates: number; conflicts: number; refused: number };
  /** Minor units by currency, negative: what was refunded, and what was taken back of commissions. */
  sales: Map<string, bigint>;
  commissions: Map<string, bigint>;
}

/**
 * The one door for every refund: takes the rows of `refund_stage` (see RefundStage), and those parked by earlier imports
 * whose sale is known now, and turns them into refunds and reversals. What a row takes back is the part of the
 * commission that all refunds of the sale together take, less what was taken back before, so that the last refund of a
 * sale reaches exactly zero; a row by which less is refunded than before gives back in the same way. Refunds of one sale count in order of `occurred_at`, then external id. Rejected rows go to
 * the `outcome` table, which `createStage` makes; conflicts and parked rows to their own. `importId` is that of the file,
 * null when there is none and only what is parked is tried; `isAgain` says that the same bytes were imported before. Twice
 * changes nothing.
 */
export async function reverse(
  session: Session,
  mover: Mover,
  importId: string | null,
  isAgain = false,
): Promise<Reversed> {
  const { accountId } = mover;
  // Other marks of the outcome table say that the sale was refused, or is in conflict: its refund waits for that.
  await sql`/* ledger.reverse.beside */
    delete from refund_stage s using outcome o where o.n = s.n and s.beside_sale and o.verdict <> 'updated'`.execute(
    session.sql,
  );
  const isNew = sql`not exists (select from refund r where r.account_id = ${accountId} and r.external_id = s.external_id)`;
  await gather(session, accountId, importId, refundParking, isNew);
  await judgeRefunds(session, accountId, isAgain);
  const sums = await bookRefunds(session, mover);
  const reversed = await count(session, mover, importId, sums);
  await keepOthers(session, mover);
  await session.client.query('truncate refund_stage');
  return reversed;
}

async function count(
  session: Session,
  mover: Mover,
  importId: string | null,
  sums: Refunded[],
): Promise<Reversed> {
  const counted = await sql<{
    kind: 'row' | 'parked' | 'recorded' | 'updated' | 'duplicates';
    verdict: RefundVerdict;
    rows: number;
  }>`/* ledger.reverse.count */
    select case
        when r.parked_id is not null then 'parked'
        when not r.beside_sale then 'row'
        when o.n is not null then 'updated'
        when c.import_id = ${importId}::uuid and c.line = r.line then 'recorded'
        else 'duplicates' end as kind,
      j.verdict, count(*)::integer as rows
    from refund_judged j
    join refund_row r on r.n = j.n
    left join (select distinct n from outcome where verdict = 'updated') o on o.n = r.n and r.beside_sale
    left join conversion c on r.beside_sale and c.account_id = ${mover.accountId} and c.id = r.conversion_id
    where r.dispute_id is null
    group by 1, 2`.execute(session.sql);
  const rows = { recorded: 0, duplicates: 0, conflicts: 0, rejected: 0, parked: 0 };
  const parked = { recorded: 0, duplicates: 0, conflicts: 0, refused: 0 };
  const besideSales: Reversed['besideSales'] = [];
  for (const one of counted.rows) {
    if (one.kind === 'row') rows[one.verdict] += one.rows;
    else if (one.kind !== 'parked') besideSales.push({ sale: one.kind, refund: one.verdict, rows: one.rows });
    else if (one.verdict === 'rejected') parked.refused += one.rows;
    else if (one.verdict !== 'parked') parked[one.verdict] += one.rows;
  }
  const of = (kind: string) =>
    new Map(sums.filter((sum) => sum.kind === kind).map((sum) => [sum.currency, sum.amount]));
  return { rows, besideSales, parked, sales: of('sale'), commissions: of('commission') };
}

/** Writes down what was not recorded: rejected rows, conflicts, and rows whose sale is not known. */
async function keepOthers(session: Session, mover: Mover): Promise<void> {
  const { accountId, now } = mover;
  await sql`/* ledger.reverse.others */
    with judged as materialized (
      select r.*, j.verdict as ended, j.code as why, j.difference as differs, j.conversion_id as about_id
      from refund_judged j join refund_row r on r.n = j.n
    ),
    refused as (
      insert into outcome (n, line, verdict, code, field, found)
      select n, line, 'rejected', why,
        case when why in ('refund-id-of-sale', 'refund-differs') then 'external_id' when why = 'refund-currency' then 'currency'
          when why = 'refund-of-refund' then 'refund_of' when is_total then 'refunded_total' else 'amount' end,
        case when why = 'refund-currency' then sale_currency when why in ('refund-id-of-sale', 'refund-differs') then external_id
          else sale_external_id end
      from judged where ended = 'rejected' and parked_id is null and dispute_id is null
    ),
    differing as materialized (
      select *, ${refundPrint(sql`judged`)} || case when is_total and exists (
          select from conflict k where k.account_id = ${accountId} and k.conversion_id = about_id and k.about = 'refund'
            and k.fingerprint = ${refundPrint(sql`judged`)} and k.status in ('kept', 'accepted'))
          -- What was decided of a total does not hold for what later files say.
          then uuid_send(import_id) else '' end as print
      from judged where ended = 'conflicts'
    ),
    conflicts as (
      insert into conflict (account_id, id, conversion_id, import_id, line, further_lines, external_id, fingerprint, sales_status,
        difference, status, about, found_at, amount, currency, occurred_at, occurred_at_given)
      select ${accountId}::integer, (${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by n)), 10, '0'))::uuid, about_id,
        import_id, line, further_lines, external_id, print, 'refunded', differs, 'open', 'refund', ${now}::timestamptz,
        amount, currency, occurred_at, occurred_at_given
      from (
        select distinct on (about_id, print) *,
          array_remove(array_agg(line) over (partition by about_id, print, import_id), line) as further_lines
        from differing order by about_id, print, n
      ) each
      where not is_total or not exists (
        select from conflict k where k.account_id = ${accountId} and k.conversion_id = about_id and k.about = 'refund'
          and k.external_id = each.external_id and k.status = 'open')
      on conflict do nothing
    ),
    parked as (
      insert into parked_refund (account_id, id, external_id, sale_external_id, amount, is_total, currency, occurred_at,
        occurred_at_given, gives_back, made_at, accepted, import_id, line)
      select ${accountId}::integer, (${newIdPrefix(now)} || lpad(to_hex(row_number() over (order by n)), 10, '0'))::uuid,
        external_id, sale_external_id, amount, is_total, currency, occurred_at, occurred_at_given, gives_back, made_at, accepted,
        import_id, line
      from judged where ended = 'parked'
      on conflict do nothing
    ),
    settled as (
      delete from parked_refund p using judged
      where p.account_id = ${accountId} and p.id = judged.parked_id and judged.ended <> 'rejected'
    )
    update parked_refund p set code = judged.why from judged
    where p.account_id = ${accountId} and p.id = judged.parked_id and judged.ended = 'rejected'`.execute(
    session.sql,
  );
}
