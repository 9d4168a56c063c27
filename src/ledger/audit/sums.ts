import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { showId } from '../../ids.ts';
import { showAmount } from '../../money.ts';
import type { AuditFinding } from './finding.ts';

/** How many findings of one check are listed; a broken ledger may have millions. */
const listed = 20;

/** An account of the journal that is not what the commissions in its state come to; minor units as text, as JSON has no large numbers. */
interface JournalDifference {
  affiliate_id: string;
  currency: string;
  account: string;
  journal: string;
  lines: string;
}

/** A payout that is not what its lines come to; `amount` is null where it is not live. */
interface PayoutDifference {
  payout_id: string;
  currency: string;
  amount: string | null;
  lines: string;
  strangers: number;
  wrong: number;
}

/**
 * What does not add up in journal and payouts. One statement, hence one moment: whoever commits sales meanwhile has them
 * in all sums or in none. The commissions are summed once for both checks: reading a million of them takes half a second,
 * and joining them one by one to their payouts takes minutes.
 */
export async function sumDifferences(session: Session, accountId: number): Promise<AuditFinding[]> {
  const { rows } = await sql<{ journal: JournalDifference[]; payouts: PayoutDifference[] }>`
    /* ledger.audit.sums */
    with held as materialized (
      select affiliate_id, currency, status, payout_id, sum(amount) as amount, count(*) as lines
      from commission where account_id = ${accountId} group by 1, 2, 3, 4
    ),
    journal_difference as (${journalDifferences(accountId)}),
    payout_difference as (${payoutDifferences(accountId)})
    select (select coalesce(json_agg(d), '[]') from journal_difference d) as journal,
      (select coalesce(json_agg(d), '[]') from payout_difference d) as payouts`.execute(session.sql);
  const { journal, payouts } = rows[0]!;
  return [...journal.map(journalFinding), ...payouts.map(payoutFinding)];
}

/** The state of a commission as an account of the journal. */
const accountOf = sql`case
  when status = 'ready_for_payment' and payout_id is not null then 'in_payout'
  when status = 'ready_for_payment' then 'ready'
  when status = 'pending_manual_approval' then 'awaiting'
  else status end`;

const journalDifferences = (accountId: number) => sql`
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
  select affiliate_id, currency, account, coalesce(journal.amount, 0)::text as journal, coalesce(lines.amount, 0)::text as lines
  from journal full join lines using (affiliate_id, currency, account)
  where coalesce(journal.amount, 0) <> coalesce(lines.amount, 0)
  order by affiliate_id, currency, account limit ${listed}`;

const payoutDifferences = (accountId: number) => sql`
  with part as (
    select payout_id, affiliate_id, currency, status = 'paid' as is_paid, amount, lines from held where payout_id is not null
  ),
  line as (
    select part.payout_id, sum(part.amount) as amount,
      coalesce(sum(part.lines) filter (where part.affiliate_id <> p.affiliate_id or part.currency <> p.currency), 0) as strangers,
      coalesce(sum(part.lines) filter (where part.is_paid <> (p.status = 'paid')
        or p.status not in ('draft', 'approved', 'exported', 'paid')), 0) as wrong
    from part left join payout p on p.account_id = ${accountId} and p.id = part.payout_id
    group by part.payout_id
  ),
  live as (
    select id, amount, currency from payout
    where account_id = ${accountId} and status in ('draft', 'approved', 'exported', 'paid')
  )
  select coalesce(live.id, line.payout_id) as payout_id, coalesce(live.currency, '') as currency, live.amount::text as amount,
    coalesce(line.amount, 0)::text as lines, coalesce(line.strangers, 0) as strangers, coalesce(line.wrong, 0) as wrong
  from live full join line on line.payout_id = live.id
  where live.amount is distinct from line.amount or line.strangers > 0 or line.wrong > 0
  order by 1 limit ${listed}`;

function journalFinding(row: JournalDifference): AuditFinding {
  const amount = (minor: string) => showAmount(BigInt(minor), row.currency);
  return {
    check: 'journal',
    message: `${showId('affiliate', row.affiliate_id)}, account ${row.account}: the journal says ${amount(row.journal)}, the commissions say ${amount(row.lines)}`,
  };
}

function payoutFinding(row: PayoutDifference): AuditFinding {
  return { check: 'payout', message: `${showId('payout', row.payout_id)}: ${wrongWithPayout(row)}` };
}

function wrongWithPayout({ currency, amount, lines, strangers, wrong }: PayoutDifference): string {
  if (amount === null) return 'commissions point at it, but it is not live';
  if (strangers > 0) return `${strangers} lines are of another affiliate or currency`;
  if (wrong > 0) return `${wrong} lines have another state than the payout`;
  const [said, summed] = [amount, lines].map((minor) => showAmount(BigInt(minor), currency));
  return `it says ${said}, its lines sum to ${summed}`;
}
