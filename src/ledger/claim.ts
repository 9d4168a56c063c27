import { randomBytes } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { LeftOutReason, PayoutMethod } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { newIdPrefix } from '../ids.ts';
import { type Carried, carryFractions } from './carry.ts';
import { type ClaimPlan, decided, isDue } from './claim/decide.ts';
import { referenceOf } from './claim/reference.ts';
import { isTorn } from './claim/torn.ts';
import { type Mover, postings } from './journal.ts';
import { isNobody } from './person.ts';
import { refreshStaleStatistics } from './statistics.ts';

export type { ClaimPlan } from './claim/decide.ts';

/** How many affiliates, with how many commissions, and their sum in minor units of one currency. */
interface Sum {
  currency: string;
  affiliates: number;
  lines: number;
  amount: bigint;
}

export interface Claim {
  batches: (Sum & { batchId: string; method: PayoutMethod })[];
  /** `method` is that of the affiliates where it is the reason. */
  leftOut: (Sum & { reason: LeftOutReason; method?: PayoutMethod })[];
  /** To be paid, but by a later batch: a live one stands for this period, currency and method already. */
  waiting: (Sum & { method: PayoutMethod })[];
  /** Fractions that a rail can't pay, and which stay ready for the next payout; they are not in the batches' amounts. */
  carried: Carried[];
}

interface Part extends Sum {
  batch_id: string | null;
  method: PayoutMethod | null;
  reason: LeftOutReason | null;
  agrees: boolean;
}

const uniqueViolation = '23505';
const attempts = 5;

/**
 * After a first import, or a release of many holds, the server's statistics still say that hardly anything is ready;
 * it would then join payees and commissions in a nested loop, which takes hours for a million of them.
 */
const withoutNestedLoops = 'set local enable_nestloop = off';
const withNestedLoops = 'set local enable_nestloop = default';

/**
 * Claims what is ready into payouts, one for each affiliate and currency, and their batches, one for each currency
 * and method in which somebody is to be paid. Everyone with something ready who is not paid is stored in left_out
 * with the reason. With `payout_approval` automatic the batches are born approved.
 * Inserting the batch is the election between two prepares at once: whoever loses it claims nothing there. When another
 * transaction takes commissions in between, the sums are taken again. Raises `state` when that goes on and on.
 */
export async function claim(session: Session, mover: Mover, plan: ClaimPlan): Promise<Claim> {
  await refreshStaleStatistics(session);
  await session.client.query(withoutNestedLoops);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    await session.client.query('savepoint claim');
    const parts = await claimOnce(session, mover, plan);
    if (parts?.every((part) => part.agrees)) {
      const claimed = toClaim(parts);
      if (!(await isTorn(session, mover, plan, claimed.batches))) {
        await session.client.query('release savepoint claim');
        await session.client.query(withNestedLoops);
        return payWholeUnits(session, mover, claimed);
      }
    }
    await session.client.query('rollback to savepoint claim');
  }
  throw new PayrunError('state', 'The commissions to be paid keep changing while they are claimed.', {
    todo: 'Start the command again when no other payout run is under way.',
  });
}

/**
 * Undefined when a reference is taken already. The parts do not agree when commissions went elsewhere meanwhile:
 * plan and update share one snapshot, so the update can only lose rows, and the count shows whether it lost any.
 */
async function claimOnce(session: Session, mover: Mover, plan: ClaimPlan): Promise<Part[] | undefined> {
  const isApproved = plan.program.payout_approval === 'automatic';
  const salt = (plan.newSalt ?? randomSalt)();
  const statement = sql<Part>`/* ledger.claim */
    with decided as materialized (${decided(mover, plan)}),
    wanted as (select currency, method from decided where reason is null group by currency, method),
    elected as (
      insert into payout_batch (account_id, id, program_id, period_start, period_end, currency, method, status,
        prepared_by, prepared_by_person, prepared_run_id, prepared_at, approved_by, approved_at)
      select ${mover.accountId}::integer,
        (${newIdPrefix(mover.now)} || lpad(to_hex(row_number() over (order by currency, method)), 10, '0'))::uuid,
        ${plan.program.id}::uuid, ${plan.periodStart}::timestamptz, ${plan.periodEnd}::timestamptz, currency, method,
        ${isApproved ? 'approved' : 'draft'}, ${plan.preparedBy}, not ${isNobody(plan.preparedBy)} and ${ranByHand(mover)},
        ${mover.runId}::uuid, ${mover.now}::timestamptz,
        ${isApproved ? 'automatic' : null}::text, ${isApproved ? mover.now : null}::timestamptz
      from wanted
      order by currency, method
      on conflict (account_id, program_id, period_end, currency, method) where status <> 'canceled' do nothing
      returning id, currency, method
    ),
    sorted as materialized (
      select decided.*, reason is null as is_payable, elected.id as batch_id
      from decided left join elected
        on decided.reason is null and elected.currency = decided.currency and elected.method = decided.method
    ),
    chosen as materialized (
      select *, (${newIdPrefix(mover.now)} || lpad(to_hex(row_number() over ()), 10, '0'))::uuid as payout_id,
        decode(md5(${salt} || row_number() over ()), 'hex') as digest
      from sorted where is_payable and batch_id is not null
    ),
    left_outs as (
      insert into left_out (account_id, run_id, program_id, affiliate_id, currency, amount, lines, reason)
      select ${mover.accountId}::integer, ${mover.runId}::uuid, ${plan.program.id}::uuid, affiliate_id, currency, amount,
        lines, reason
      from sorted where not is_payable
      on conflict (account_id, run_id, program_id, affiliate_id, currency) do nothing
    ),
    payouts as (
      insert into payout (account_id, id, batch_id, program_id, affiliate_id, reference, amount, currency, method,
        destination, payee_name, lines, status, status_at, status_run_id)
      select ${mover.accountId}::integer, payout_id, batch_id, ${plan.program.id}::uuid, affiliate_id,
        ${referenceOf(sql`digest`)}, amount, currency, method, destination, name, lines,
        ${isApproved ? 'approved' : 'draft'}, ${mover.now}::timestamptz,
        ${mover.runId}::uuid
      from chosen
    ),
    posted as (
      ${postings(sql`chosen`, mover, { movement: 'claim', from: 'ready', to: 'in_payout' }, sql`sum(lines)`)}
    ),
    -- Postgres takes unnested arrays for few rows, so it hashes the payees and reads the commissions in their own
    -- order; hashing the commissions instead makes the update jump about the table.
    payees as materialized (
      select unnest(array_agg(affiliate_id)) as affiliate_id, unnest(array_agg(currency)) as currency,
        unnest(array_agg(payout_id)) as payout_id
      from chosen
    ),
    claimed as (
      update commission set payout_id = payee.payout_id
      from payees payee
      where ${isDue(mover, plan)}
        and commission.affiliate_id = payee.affiliate_id and commission.currency = payee.currency
      returning 1
    )
    select batch_id, currency, method, reason, count(*)::integer as affiliates, sum(lines)::integer as lines,
      sum(amount)::bigint as amount,
      (select count(*) from claimed) = (select coalesce(sum(lines), 0) from chosen) as agrees
    from (select batch_id, currency, case when is_payable or reason = 'currency_not_carried' then method end as method,
      reason, lines, amount from sorted) part
    group by batch_id, currency, method, reason
    order by currency, method, reason`;
  try {
    return (await statement.execute(session.sql)).rows;
  } catch (cause) {
    if ((cause as { code?: string }).code === uniqueViolation) return undefined;
    throw cause;
  }
}

/** Whether the run was asked for by hand: not by the schedule, and not as a step of another run. */
function ranByHand({ accountId, runId }: Mover): RawBuilder<unknown> {
  return sql`exists (select from run where account_id = ${accountId} and id = ${runId}::uuid
    and slot is null and parent_id is null)`;
}

function toClaim(parts: Part[]): Claim {
  const claimed: Claim = { batches: [], leftOut: [], waiting: [], carried: [] };
  for (const { batch_id: batchId, method, reason, agrees: _, ...sum } of parts) {
    if (reason !== null) claimed.leftOut.push({ ...sum, reason, ...(method ? { method } : {}) });
    else if (batchId === null) claimed.waiting.push({ ...sum, method: method! });
    else claimed.batches.push({ ...sum, batchId, method: method! });
  }
  return claimed;
}

/** What was claimed, less the fractions that its rails can't carry. */
async function payWholeUnits(session: Session, mover: Mover, claimed: Claim): Promise<Claim> {
  const made = claimed.batches.map(({ batchId: id, method, currency }) => ({ id, method, currency }));
  const carried = await carryFractions(session, mover, made);
  const batches = claimed.batches.map((batch) => {
    const less = carried.find(({ batchId }) => batchId === batch.batchId);
    if (!less) return batch;
    return { ...batch, lines: batch.lines + less.affiliates, amount: batch.amount - less.amount };
  });
  return { ...claimed, batches, carried };
}

function randomSalt(): string {
  return randomBytes(16).toString('hex');
}
