import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import type { AuditFinding } from './audit/finding.ts';
import { reversalFaults } from './audit/reversals.ts';
import { runDifferences } from './audit/run.ts';
import { sumDifferences } from './audit/sums.ts';
import type { Mover } from './journal.ts';
import { plannedForMany } from './statistics.ts';

export type { AuditFinding } from './audit/finding.ts';

/**
 * Proves the books of an account and returns what does not hold: per affiliate and currency each account of the
 * journal equals the commissions in that state; every payout equals its lines; a line's payout is live or paid as
 * the line is; what is taken back of each commission is what its refunds say; no reference dangles. An empty list means to the cent.
 * To be called in a transaction of one snapshot: outside of one it may take plans for few rows, and what others commit
 * between two checks would look like a fault.
 */
export async function auditBooks(session: Session, accountId: number): Promise<AuditFinding[]> {
  return plannedForMany(session, async () => [
    ...(await sumDifferences(session, accountId)),
    ...(await reversalFaults(session, accountId)),
    ...(await danglingReferences(session, accountId)),
  ]);
}

/** What every transaction proves of what it has moved before it commits. Raises `books-adrift` with the first findings. */
export async function assertMoved(session: Session, mover: Mover): Promise<void> {
  refuse(await runDifferences(session, mover));
}

/** The same of all there is in the account. */
export async function assertBalanced(session: Session, accountId: number): Promise<void> {
  refuse(await sumDifferences(session, accountId));
}

function refuse(findings: AuditFinding[]): void {
  if (findings.length === 0) return;
  const first = findings.slice(0, 5).map((finding) => `\n  ${finding.message}`);
  throw new PayrunError('books-adrift', `The books would not balance; the run was undone.${first.join('')}`);
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
