import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { firstIdOf, showId } from '../../ids.ts';
import { showAmount } from '../../money.ts';
import type { Mover } from '../journal.ts';
import type { AuditFinding } from './finding.ts';
import { sumDifferences } from './sums.ts';

/** From so many moved lines on, reading all sums once costs less than looking the run's own up. */
const manyLines = 20_000;

/**
 * What does not add up in what a mover has moved in this transaction, which began at its moment: what it has recorded is what it took from `earned`; what it moved into a
 * state is what it posted there; what its affiliates have in payouts is what the journal says; and the payouts that it
 * touched are their lines. It reads in proportion to that; the sums of everything where that is much.
 */
export async function runDifferences(session: Session, mover: Mover): Promise<AuditFinding[]> {
  const { rows } = await sql<{ lines: bigint }>`/* ledger.prove.lines */
    select coalesce(sum(lines), 0)::bigint as lines from posting where ${isPosted(mover)}`.execute(
    session.sql,
  );
  if (rows[0]!.lines > manyLines) return sumDifferences(session, mover.accountId);
  return [...(await wrongMoves(session, mover)), ...(await wrongPayouts(session, mover))];
}

function isPosted({ accountId, runId, now }: Mover): RawBuilder<unknown> {
  return sql`account_id = ${accountId} and id >= ${firstIdOf(now)}::uuid and run_id = ${runId}::uuid`;
}

/** The sums that a run has posted, by affiliate, currency and the accounts from and to which. */
const postedBy = (mover: Mover) => sql`
  posted as materialized (
    select affiliate_id, currency, from_account, to_account, movement, sum(amount) as amount from posting where ${isPosted(mover)}
    group by 1, 2, 3, 4, 5
  )`;

/** Movements that leave a commission's status, and with it the run that set it, as they were. */
const unstamped = sql`('claim', 'unclaim', 'return', 'carry')`;

async function wrongMoves(session: Session, mover: Mover): Promise<AuditFinding[]> {
  const { accountId, runId, now } = mover;
  const columns = sql.raw('id, affiliate_id, currency, amount, status, payout_id');
  const byRun = (state: RawBuilder<unknown>) => sql`
    select ${columns} from commission
    where account_id = ${accountId} and status_run_id = ${runId}::uuid and status_at >= ${now}::timestamptz and ${state}`;
  const found = await sql<Difference>`/* ledger.prove.moves */
    with ${postedBy(mover)},
    made as materialized (
      select ${columns} from commission
      where account_id = ${accountId} and id >= ${firstIdOf(now)}::uuid and status_run_id = ${runId}::uuid
    ),
    moved as materialized (
      select * from made
      union ${byRun(sql`status = 'pending_manual_approval'`)}
      union ${byRun(sql`status = 'ready_for_payment' and payout_id is null`)}
      union ${byRun(sql`status = 'declined'`)}
    ),
    side as (
      select affiliate_id, currency, to_account as account, amount as came, 0 as went, false as is_left,
        movement in ${unstamped} as unstamped
      from posted
      union all
      select affiliate_id, currency, from_account, 0, amount, true, movement in ${unstamped} from posted
    ),
    journal as (
      select affiliate_id, currency, account, sum(came) as came, sum(went) as went, bool_or(is_left) as is_left,
        bool_or(unstamped) as unstamped
      from side group by 1, 2, 3
    ),
    line as (
      select affiliate_id, currency, case status
          when 'ready_for_payment' then 'ready' when 'pending_manual_approval' then 'awaiting' else status end as account,
        sum(amount) as amount
      from moved where payout_id is null and status in ('pending', 'pending_manual_approval', 'ready_for_payment', 'declined')
      group by 1, 2, 3
    ),
    recorded as (
      select affiliate_id, currency, sum(amount) as amount from made group by 1, 2
    )
    select affiliate_id, currency, account, coalesce(came, 0)::text as journal, coalesce(line.amount, 0)::text as lines
    from journal full join line using (affiliate_id, currency, account)
    -- What has left an account may come to nothing: a commission and the reversal that takes all of it.
    where account in ('pending', 'awaiting', 'ready', 'declined') and coalesce(is_left, false) = false
      and coalesce(unstamped, false) = false and coalesce(came, 0) <> coalesce(line.amount, 0)
      and not (account = 'pending' and exists (select from posted where movement = 'restore'))
    union all
    select affiliate_id, currency, 'earned', coalesce(went - came, 0)::text, coalesce(recorded.amount, 0)::text
    from (select * from journal where account = 'earned') earned full join recorded using (affiliate_id, currency)
    where coalesce(went - came, 0) <> coalesce(recorded.amount, 0)
    order by 1, 2, 3 limit 20`.execute(session.sql);
  return found.rows.map((row) => ({
    check: 'journal',
    message: `${showId('affiliate', row.affiliate_id)}, account ${row.account}: the run has posted ${shown(row.journal, row)}, and moved ${shown(row.lines, row)}`,
  }));
}

interface Difference {
  affiliate_id: string;
  currency: string;
  account: string;
  journal: string;
  lines: string;
}

function shown(minor: string, { currency }: { currency: string }): string {
  return showAmount(BigInt(minor), currency);
}

/** The payouts that the run has made or moved, and the live ones of affiliates whose payouts it has posted about. */
async function wrongPayouts(session: Session, mover: Mover): Promise<AuditFinding[]> {
  const { accountId, runId } = mover;
  const live = sql`('draft', 'approved', 'exported')`;
  const found = await sql<{
    payout_id: string | null;
    affiliate_id: string;
    currency: string;
    said: string;
    lines: string;
  }>`
    /* ledger.prove.payouts */
    with ${postedBy(mover)},
    paid_out as materialized (
      select distinct affiliate_id, currency from posted where 'in_payout' in (from_account, to_account)
    ),
    touched as materialized (
      select id, affiliate_id, currency, status, amount from payout
      where account_id = ${accountId} and status_run_id = ${runId}::uuid
      union
      select p.id, p.affiliate_id, p.currency, p.status, p.amount from payout p
      where p.account_id = ${accountId} and p.status in ${live} and p.affiliate_id in (select affiliate_id from paid_out)
    ),
    summed as materialized (
      select t.*, lines.amount as lines, coalesce(lines.wrong, 0) as wrong
      from touched t left join lateral (
        select sum(m.amount) as amount, count(*) filter (where m.affiliate_id <> t.affiliate_id or m.currency <> t.currency
          or (m.status = 'paid') <> (t.status = 'paid') or t.status not in ('draft', 'approved', 'exported', 'paid')) as wrong
        from commission m where m.account_id = ${accountId} and m.payout_id = t.id
      ) lines on true
    ),
    journal as (
      select p.affiliate_id, p.currency, sum(case when p.to_account = 'in_payout' then p.amount else -p.amount end) as amount
      from posting p join paid_out using (affiliate_id, currency)
      where p.account_id = ${accountId} and 'in_payout' in (p.from_account, p.to_account) group by 1, 2
    ),
    held as (
      select affiliate_id, currency, sum(lines) as amount from summed where status in ${live} group by 1, 2
    )
    select id as payout_id, affiliate_id, currency, amount::text as said, coalesce(lines, 0)::text as lines
    from summed where wrong > 0
      or (status in ('draft', 'approved', 'exported', 'paid') and amount is distinct from lines)
    union all
    select null, affiliate_id, currency, coalesce(journal.amount, 0)::text, coalesce(held.amount, 0)::text
    from journal left join held using (affiliate_id, currency) where coalesce(journal.amount, 0) <> coalesce(held.amount, 0)
    order by 1, 2 limit 20`.execute(session.sql);
  return found.rows.map((row) => {
    const sums = `${shown(row.said, row)}, its lines come to ${shown(row.lines, row)}`;
    return row.payout_id === null
      ? {
          check: 'journal',
          message: `${showId('affiliate', row.affiliate_id)}, account in_payout: the journal says ${sums}`,
        }
      : {
          check: 'payout',
          message: `${showId('payout', row.payout_id)}: it says ${sums}, or they are not its own`,
        };
  });
}
