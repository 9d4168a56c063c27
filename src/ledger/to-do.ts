import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { formatAmount } from '../money.ts';
import { disputed } from './disputed.ts';
import { readHeldByDisputes } from './held.ts';

/** Something that waits for a person, as a run stores it. */
export interface ToDo {
  what:
    | 'batches_to_approve'
    | 'second_approvals'
    | 'commissions_to_approve'
    | 'rejected_rows'
    | 'conflicts'
    | 'parked_rows'
    | 'long_disputes'
    | 'payouts_without_answer';
  count: number;
  /** Currency to an exact decimal; empty where no money is known of it. */
  amounts: Record<string, string>;
  /** Since when the oldest waits, in ISO 8601; null where that is not known. */
  since: string | null;
  /** The command line that shows it, or does it. */
  command: string;
}

/** A part of what waits: so many in one currency, or in none; `amount` in minor units. */
export interface Waiting {
  count: number;
  currency: string | null;
  amount: bigint | null;
  since: Date | null;
}

/** One thing to do out of its parts, or nothing where there are none. */
export function toDo(what: ToDo['what'], parts: Waiting[], command: string): ToDo[] {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  if (count === 0) return [];
  const amounts: Record<string, string> = {};
  for (const { currency, amount } of parts)
    if (currency !== null && amount !== null) amounts[currency] = formatAmount(amount, currency);
  const times = parts.flatMap(({ since }) => (since === null ? [] : [since.getTime()]));
  const since = times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
  return [{ what, count, amounts, since, command }];
}

/** From when on a dispute that is still open is for a person to look into. */
const longDays = 60;

/**
 * What the books have for a person at `asOf`: commissions to approve, conflicts, rows that wait for their sale or customer,
 * and what disputes have held for more than 60 days.
 */
export async function toDoInBooks(session: Session, accountId: number, asOf: Date): Promise<ToDo[]> {
  const read = async (query: RawBuilder<Waiting & { oldest?: string | null }>) =>
    (await query.execute(session.sql)).rows;
  const awaiting = await read(sql`/* ledger.to-do.awaiting */
    select (count(*) filter (where m.reverses is null))::integer as count, m.currency, sum(m.amount)::bigint as amount,
      min(m.status_at) as since
    from commission m
    where m.account_id = ${accountId} and m.status = 'pending_manual_approval'
      and coalesce(m.reverses, m.id) <> all (${disputed(accountId)})
    group by m.currency order by m.currency`);
  const conflicts = await read(sql`/* ledger.to-do.conflicts */
    select count(*)::integer as count, null as currency, null::bigint as amount, min(found_at) as since
    from conflict where account_id = ${accountId} and status = 'open'`);
  const parked = await read(parkedRows(accountId));
  const before = new Date(asOf.getTime() - longDays * 86_400_000);
  const disputes = await readHeldByDisputes(session, accountId, { asOf, before });
  const oldest = parked.toSorted((a, b) => Number(a.since) - Number(b.since))[0]?.oldest;
  return [
    ...toDo('commissions_to_approve', awaiting, 'payrun commissions list --status awaiting'),
    ...toDo('conflicts', conflicts, 'payrun conflicts list'),
    ...toDo('parked_rows', parked, oldest ? `payrun explain ${quoted(oldest)}` : 'payrun imports list'),
    ...toDo('long_disputes', disputes, 'payrun commissions list --held'),
  ];
}

/** Events and conversion entries whose customer, and refunds and disputes whose sale is not known yet; `oldest` is an external id. */
const parkedRows = (accountId: number) => sql<Waiting & { oldest: string | null }>`/* ledger.to-do.parked */
  select count(*)::integer as count, p.currency, sum(p.amount)::bigint as amount, min(p.since) as since,
    (array_agg(p.external_id order by p.since))[1] as oldest
  from (
    select external_event_id as external_id, null as currency, null::bigint as amount, received_at as since
    from parked_event where account_id = ${accountId}
    union all
    select external_id, currency, amount, created_at
    from conversion_entry where account_id = ${accountId} and conversion_id is null and amount > 0
    union all
    select r.external_id, r.currency, r.amount, i.finished_at
    from parked_refund r left join import i on i.account_id = ${accountId} and i.id = r.import_id
    where r.account_id = ${accountId}
    union all
    select d.external_id, d.currency, d.amount, i.finished_at
    from parked_dispute d left join import i on i.account_id = ${accountId} and i.id = d.import_id
    where d.account_id = ${accountId}
  ) p group by p.currency order by p.currency`;

/** Text as one word of a command line. */
function quoted(text: string): string {
  return /^[\w.:@#+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
