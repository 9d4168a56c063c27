import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { showAmount } from '../money.ts';
import type { AuditFinding } from './audit/finding.ts';
import { reversalFaults } from './audit/reversals.ts';
import { plannedForMany } from './statistics.ts';

export type { AuditFinding } from './audit/finding.ts';

/** How many findings of one check are listed; a broken ledger may have millions. */
const listed = 20;

/**
 * Proves the books of an account and returns what does not hold: per affiliate and currency each account of the
 * journal equals the commissions in that state; every payout equals its lines; a line's payout is live or paid as
 * the line is; what is taken back of each commission is what its refunds say; no reference dangles. An empty list means to the cent.
 * To be called in a transaction: outside of one it may take plans for few rows.
 */
export async function auditBooks(session: Session, accountId: number): Promise<AuditFinding[]> {
  return plannedForMany(session, async () => [
    ...(await sumDifferences(session, accountId)),
    ...(await reversalFaults(session, accountId)),
    ...(await danglingReferences(session, accountId)),
  ]);
}

/** The part that every run proves before it commits. Raises `books-adrift` with the first findings. */
export async function assertBalanced(session: Session, accountId: number): Promise<void> {
  const findings = await sumDifferences(session, accountId);
  if (findings.length === 0) return;
  const first = findings.slice(0, 5).map((finding) => `\n  ${finding.message}`);
  throw new PayrunError('books-adrift', `The books would not balance; the run was undone.${first.join('')}`);
}

/**
 * Whether the session's transaction has written a commission, posting or payout, as the server counts it; true also
 * when it does not count, or when the connection did so a moment before. One that has not leaves the books as the run before it has proved them.
 */
export async function hasTouchedBooks(session: Session): Promise<boolean> {
  const touched = await sql`/* ledger.audit.touched */
    select from pg_stat_xact_user_tables
    where relid in ('commission'::regclass, 'posting'::regclass, 'payout'::regclass)
    having sum(n_tup_ins + n_tup_upd + n_tup_del) > 0 or current_setting('track_counts') <> 'on'`.execute(
    session.sql,
  );
  return touched.rows.length > 0;
}

/**
 * What does not add up in journal and payouts. The commissions are summed once, into a table for both checks: reading a
 * million of them takes a second, and joining them one by one to their payouts takes minutes.
 */
async function sumDifferences(session: Session, accountId: number): Promise<AuditFinding[]> {
  await session.client.query(`drop table if exists pg_temp.held;
    create temp table held (affiliate_id uuid, currency text, status text, payout_id uuid, amount numeric, lines bigint)`);
  await sql`/* ledger.audit.sums */
    insert into held
    select affiliate_id, currency, status, payout_id, sum(amount), count(*)
    from commission where account_id = ${accountId} group by 1, 2, 3, 4`.execute(session.sql);
  await session.client.query('analyze held');
  const findings = [
    ...(await journalDifferences(session, accountId)),
    ...(await payoutDifferences(session, accountId)),
  ];
  await session.client.query('drop table held');
  return findings;
}

/** The state of a commission as an account of the journal. */
const accountOf = sql`case
  when status = 'ready_for_payment' and payout_id is not null then 'in_payout'
  when status = 'ready_for_payment' then 'ready'
  when status = 'pending_manual_approval' then 'awaiting'
  else status end`;

async function journalDifferences(session: Session, accountId: number): Promise<AuditFinding[]> {
  const rows = await sql<{
    affiliate_id: string;
    currency: string;
    account: string;
    journal: bigint;
    lines: bigint;
  }>`
    /* ledger.audit.journal */
    with journal as (
      select affiliate_id, currency, account, sum(amount) as amount
      from (
        select affiliate_id, currency, to_account as account, amount from posting where account_id = ${accountId}
        union all
        select affiliate_id, currency, from_account, -amount from posting where account_id = ${accountId}
      ) sides
      group by affiliate_id, currency, account
    ),
    lines as (
      select affiliate_id, currency, ${accountOf} as account, sum(amount) as amount from held group by 1, 2, 3
      union all
      select affiliate_id, currency, 'earned', -sum(amount) from held group by 1, 2
    )
    select affiliate_id, currency, account, coalesce(journal.amount, 0)::bigint as journal, coalesce(lines.amount, 0)::bigint as lines
    from journal full join lines using (affiliate_id, currency, account)
    where coalesce(journal.amount, 0) <> coalesce(lines.amount, 0)
    order by affiliate_id, currency, account limit ${listed}`.execute(session.sql);
  return rows.rows.map((row) => ({
    check: 'journal',
    message: `${showId('affiliate', row.affiliate_id)}, account ${row.account}: the journal says ${showAmount(row.journal, row.currency)}, the commissions say ${showAmount(row.lines, row.currency)}`,
  }));
}

async function payoutDifferences(session: Session, accountId: number): Promise<AuditFinding[]> {
  const rows = await sql<{
    payout_id: string;
    currency: string;
    amount: bigint | null;
    lines: bigint;
    strangers: number;
    wrong: number;
  }>`
    /* ledger.audit.payouts */
    with part as (
      select payout_id, affiliate_id, currency, status = 'paid' as is_paid, amount, lines from held where payout_id is not null
    ),
    line as (
      select part.payout_id, sum(part.amount)::bigint as amount,
        (coalesce(sum(part.lines) filter (where part.affiliate_id <> p.affiliate_id or part.currency <> p.currency), 0))::integer
          as strangers,
        (coalesce(sum(part.lines) filter (where part.is_paid <> (p.status = 'paid')
          or p.status not in ('draft', 'approved', 'exported', 'paid')), 0))::integer as wrong
      from part left join payout p on p.account_id = ${accountId} and p.id = part.payout_id
      group by part.payout_id
    ),
    live as (
      select id, amount, currency from payout
      where account_id = ${accountId} and status in ('draft', 'approved', 'exported', 'paid')
    )
    select coalesce(live.id, line.payout_id) as payout_id, coalesce(live.currency, '') as currency, live.amount,
      coalesce(line.amount, 0) as lines, coalesce(line.strangers, 0) as strangers, coalesce(line.wrong, 0) as wrong
    from live full join line on line.payout_id = live.id
    where live.amount is distinct from line.amount or line.strangers > 0 or line.wrong > 0
    order by 1 limit ${listed}`.execute(session.sql);
  return rows.rows.map((row) => {
    const payout = showId('payout', row.payout_id);
    if (row.amount === null)
      return { check: 'payout', message: `${payout}: commissions point at it, but it is not live` };
    if (row.strangers > 0)
      return {
        check: 'payout',
        message: `${payout}: ${row.strangers} lines are of another affiliate or currency`,
      };
    if (row.wrong > 0)
      return { check: 'payout', message: `${payout}: ${row.wrong} lines have another state than the payout` };
    return {
      check: 'payout',
      message: `${payout}: it says ${showAmount(row.amount, row.currency)}, its lines sum to ${showAmount(row.lines, row.currency)}`,
    };
  });
}

/** References that no foreign key guards, because one statement writes both sides. */
async function danglingReferences(session: Session, accountId: number): Promise<AuditFinding[]> {
  const check = (what: string, from: RawBuilder<unknown>, column: string, table: string) => sql`
    select ${what} as what, count(*)::integer as rows from ${from}
    where r.account_id = ${accountId} and r.${sql.raw(column)} is not null and not exists (
      select from ${sql.raw(table)} t where t.account_id = ${accountId} and t.id = r.${sql.raw(column)})
    having count(*) > 0`;
  const commission = sql`commission r`;
  const conversion = sql`conversion r`;
  const checks = [
    sql`
      select 'commissions without their conversion' as what, count(*)::integer as rows from commission r
      where r.account_id = ${accountId} and r.reverses is null
        and not exists (select from conversion t where t.account_id = ${accountId} and t.id = r.id)
        and not exists (select from adjustment t where t.account_id = ${accountId} and t.id = r.id)
      having count(*) > 0`,
    sql`
      select 'reversals without their refund or correction' as what, count(*)::integer as rows from commission r
      where r.account_id = ${accountId} and r.reverses is not null and not exists (
        select from refund t where t.account_id = ${accountId} and t.id = r.id and t.conversion_id = r.reverses)
        and not exists (
        select from correction t where t.account_id = ${accountId} and t.id = r.id and t.conversion_id = r.reverses)
      having count(*) > 0`,
    check('reversals without the commission they take back', commission, 'reverses', 'commission'),
    check('adjustments without their commission', sql`adjustment r`, 'id', 'commission'),
    check('refunds without their conversion', sql`refund r`, 'conversion_id', 'conversion'),
    check('refunds without their dispute', sql`refund r`, 'dispute_id', 'dispute'),
    check('corrections without their commission', sql`correction r`, 'conversion_id', 'commission'),
    check('corrections without their conflict', sql`correction r`, 'conflict_id', 'conflict'),
    check('corrections without their import', sql`correction r`, 'import_id', 'import'),
    check('disputes without their conversion', sql`dispute r`, 'conversion_id', 'conversion'),
    check('commissions without their affiliate', commission, 'affiliate_id', 'affiliate'),
    check('commissions without their programme', commission, 'program_id', 'program'),
    check('commissions without their incentive', commission, 'incentive_id', 'incentive'),
    check('commissions without the run that moved them', commission, 'status_run_id', 'run'),
    check('conversions without their affiliate', conversion, 'affiliate_id', 'affiliate'),
    check('conversions without their referral', conversion, 'referral_id', 'referral'),
    check('conversions without their programme', conversion, 'program_id', 'program'),
    check('conversions without their import', conversion, 'import_id', 'import'),
    check('conflicts without their conversion', sql`conflict r`, 'conversion_id', 'conversion'),
    check('events without their referral', sql`event r`, 'referral_id', 'referral'),
    sql`
      select 'conversions without commission, and without a reason for it' as what, count(*)::integer as rows
      from conversion r where r.account_id = ${accountId} and r.no_commission_reason is null and not exists (
        select from commission t where t.account_id = ${accountId} and t.id = r.id)
      having count(*) > 0`,
  ];
  const rows = await sql<{ what: string; rows: number }>`/* ledger.audit.references */
    ${sql.join(checks, sql` union all `)}`.execute(session.sql);
  return rows.rows.map((row) => ({ check: 'reference', message: `${row.rows} ${row.what}` }));
}
