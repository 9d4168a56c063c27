import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { PayoutMethod } from '../db/tables.ts';
import { newIdPrefix } from '../ids.ts';
import { type Mover, postings } from './journal.ts';
import { unitIn, unitOf } from './rails.ts';
import { type Refusal, refusePayouts } from './unclaim.ts';

/** What stays with affiliates because their rail pays whole units only; `amount` in minor units. */
export interface Carried {
  batchId: string;
  method: PayoutMethod;
  currency: string;
  affiliates: number;
  amount: bigint;
}

/** A batch that has not left. */
interface Batch {
  id: string;
  method: PayoutMethod;
  currency: string;
}

/**
 * Takes the fractions that a rail can't carry out of the payouts of these batches. Each is a line of its own in the payout,
 * which takes it, and one like it that is ready and gives it to the next payout: both are adjustments in nobody's name, with
 * the reason, as old as the youngest commission in the payout. Payouts of less than a unit stay as they are.
 */
export async function carryFractions(session: Session, mover: Mover, batches: Batch[]): Promise<Carried[]> {
  const { accountId, runId, now } = mover;
  const ids = batches.filter(({ method, currency }) => unitOf(method, currency) > 1n).map(({ id }) => id);
  if (ids.length === 0) return [];
  const unit = unitIn(sql`p.method`, sql`p.currency`);
  const { rows } = await sql<Carried>`/* ledger.carry */
    with fraction as materialized (
      select p.id as payout_id, p.batch_id, p.method, p.program_id, p.affiliate_id, p.currency, g.rounding,
        (p.amount % ${unit})::bigint as amount, row_number() over (order by p.id) as place,
        'the fraction of payout ' || p.reference || ': ' || p.method || ' pays whole ' || p.currency || ' only' as reason,
        (select max(m.hold_until) from commission m where m.account_id = ${accountId} and m.payout_id = p.id) as hold_until
      from payout p join program g on g.account_id = ${accountId} and g.id = p.program_id
      where p.account_id = ${accountId} and p.batch_id = any(${ids}::uuid[]) and p.status in ('draft', 'approved')
        and p.amount > ${unit} and p.amount % ${unit} <> 0
    ),
    line as materialized (
      select (${newIdPrefix(now)} || lpad(to_hex(2 * place + side.n), 10, '0'))::uuid as id, program_id, affiliate_id, currency,
        rounding, reason, hold_until, side.sign * amount as amount, case when side.sign < 0 then payout_id end as payout_id
      from fraction cross join (values (0, -1), (1, 1)) as side(n, sign)
    ),
    facts as (
      insert into adjustment (account_id, id, program_id, affiliate_id, amount, currency, reason, made_by, made_at)
      select ${accountId}::integer, id, program_id, affiliate_id, amount, currency, reason, 'payrun', ${now}::timestamptz
      from line
    ),
    commissions as (
      insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id, payout_id,
        hold_days, overridden, currency, status, rounding)
      select ${accountId}::integer, id, program_id, affiliate_id, amount, hold_until, ${now}::timestamptz, ${runId}::uuid,
        payout_id, 0, false, currency, 'ready_for_payment', rounding
      from line
    ),
    summed as (
      update payout p set amount = p.amount - f.amount, lines = p.lines + 1
      from fraction f where p.account_id = ${accountId} and p.id = f.payout_id
    ),
    posted as (${postings(sql`fraction`, mover, { movement: 'carry', from: 'in_payout', to: 'ready' })})
    select batch_id as "batchId", method, currency, count(*)::integer as affiliates, sum(amount)::bigint as amount
    from fraction group by batch_id, method, currency order by currency`.execute(session.sql);
  return rows;
}

/**
 * The same for a draft that is about to be approved, because refunds may have left fractions in it again; payouts of which
 * less than a unit was left are refused and returned.
 */
export async function leaveWholeUnits(session: Session, mover: Mover, batch: Batch): Promise<Refusal[]> {
  const unit = unitOf(batch.method, batch.currency);
  if (unit === 1n) return [];
  const small = await session.sql
    .selectFrom('payout')
    .select(['reference', 'amount'])
    .where('account_id', '=', mover.accountId)
    .where('batch_id', '=', batch.id)
    .where('status', '=', 'draft')
    .where('amount', '<', unit)
    .orderBy('reference')
    .execute();
  await carryFractions(session, mover, [batch]);
  if (small.length === 0) return [];
  const reason = `it is less than one ${batch.currency}, and ${batch.method} pays whole ${batch.currency} only`;
  const references = small.map(({ reference }) => reference);
  await refusePayouts(session, mover, { batchId: batch.id, reason, references });
  return [{ reason, references, amount: small.reduce((sum, { amount }) => sum + amount, 0n) }];
}
