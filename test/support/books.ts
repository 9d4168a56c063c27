import { sql } from 'kysely';
import type { CommissionStatus, SalesStatus } from '../../src/db/tables.ts';
import { assertBalanced, auditBooks } from '../../src/ledger/audit.ts';
import { readMany } from './read-many.ts';
import type { World } from './world.ts';

/** One sale and what it earned, as the ledger has it. */
export interface BookedSale {
  external_id: string;
  affiliate: string;
  referral_id: string | null;
  amount: bigint;
  currency: string;
  occurred_at: Date;
  sales_status: SalesStatus;
  line: number;
  no_commission_reason: string | null;
  commission: bigint | null;
  commission_currency: string | null;
  commission_status: CommissionStatus | null;
  incentive: string | null;
  rate_ppm: number | null;
  hold_days: number | null;
  hold_until: Date | null;
  reason: string | null;
  overridden: boolean | null;
}

/** The sales of a world and their commissions, by external id. */
export async function booked(world: World): Promise<Map<string, BookedSale>> {
  const rows = await readMany(
    world.db,
    sql<BookedSale>`
    select c.external_id, a.ref as affiliate, c.referral_id, c.amount, c.currency, c.occurred_at, c.sales_status, c.line,
      c.no_commission_reason, m.amount as commission, m.currency as commission_currency, m.status as commission_status,
      i.ref as incentive, m.rate_ppm, m.hold_days, m.hold_until, m.reason, m.overridden
    from conversion c
    join affiliate a on a.account_id = c.account_id and a.id = c.affiliate_id
    left join commission m on m.account_id = c.account_id and m.id = c.id
    left join incentive i on i.account_id = m.account_id and i.id = m.incentive_id
    where c.account_id = ${world.accountId} order by c.external_id collate "C"`,
  );
  return new Map(rows.map((row) => [row.external_id, row]));
}

/** What the audit has to say about a world's books; nothing when they are right to the cent. */
export async function audited(world: World): Promise<string[]> {
  const findings = await world.db.transaction((session) => auditBooks(session, world.accountId));
  return findings.map((finding) => finding.message);
}

/** `balanced`, or what the check says that every run makes before it commits. */
export async function balance(world: World): Promise<string> {
  return world.db.session((session) =>
    assertBalanced(session, world.accountId).then(
      () => 'balanced',
      (fault: Error) => fault.message,
    ),
  );
}

/** A world's referrals, oldest first. */
export async function referrals(world: World) {
  const rows = await sql<{
    ref: string | null;
    customer_id: string | null;
    external_user_id: string | null;
    click_id: string | null;
    email: string | null;
    status: string;
    affiliate: string;
    converted_at: Date | null;
    created_at: Date;
  }>`
    select r.ref, r.customer_id, r.external_user_id, r.click_id, r.email, r.status, a.ref as affiliate, r.converted_at, r.created_at
    from referral r join affiliate a on a.account_id = r.account_id and a.id = r.affiliate_id
    where r.account_id = ${world.accountId} order by r.created_at, r.id`.execute(world.db.sql);
  return rows.rows;
}
