import { type RawBuilder, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { type Page, type PageChoice, readPage } from '../db/pages.ts';
import { startOfDay } from '../time.ts';
import type { heldAccounts } from './balances.ts';
import { type HeldReason, heldQuery } from './held.ts';
import { findAffiliate, findProgram, findSource } from './named.ts';
import { givenId } from './take-back.ts';

/** Where a commission is, in the words of the journal's accounts. */
export type CommissionState = (typeof heldAccounts)[number];

/** Which commissions; all that is given must be true of them. */
export interface CommissionFilter {
  state?: CommissionState | undefined;
  /** An id, ref, short code or e-mail address. */
  affiliate?: string | undefined;
  /** Refs. */
  program?: string | undefined;
  source?: string | undefined;
  /** Those whose hold ends before this day (`YYYY-MM-DD`) begins in their programme's zone. */
  dueBefore?: string | undefined;
  currency?: string | undefined;
  /** Only what is held at this moment though its hold has ended. */
  heldAt?: Date | undefined;
  /** Only those of these UUIDs. */
  ids?: string[] | undefined;
}

/** A commission, a reversal or an adjustment as lists show it; amounts in minor units. */
export interface ListedCommission {
  id: string;
  affiliate: string;
  affiliateName: string;
  program: string;
  /** The programme's, in which its days are shown. */
  zone: string;
  /** The external id of its sale; null for an adjustment. */
  sale: string | null;
  saleAmount: bigint | null;
  saleCurrency: string | null;
  occurredAt: Date | null;
  amount: bigint;
  currency: string;
  state: CommissionState;
  holdUntil: Date;
  /** The reference of the payout that it is or was in. */
  payout: string | null;
  /** Which refund or adjustment it is, or why it was declined. */
  note: string | null;
  /** Why it is held, where the filter asks for that. */
  held: HeldReason | null;
}

/** What a filter comes to in one currency, reversals included; `amount` in minor units. */
export interface CommissionSum {
  currency: string;
  lines: number;
  amount: bigint;
}

/** Commissions in the order in which they were recorded: their UUID is the key. */
export interface CommissionList {
  page(choice: PageChoice): Promise<Page<ListedCommission>>;
  sums(): Promise<CommissionSum[]>;
}

const states: Record<CommissionState, RawBuilder<unknown>> = {
  pending: sql`m.status = 'pending'`,
  awaiting: sql`m.status = 'pending_manual_approval'`,
  ready: sql`m.status = 'ready_for_payment' and m.payout_id is null`,
  in_payout: sql`m.status = 'ready_for_payment' and m.payout_id is not null`,
  paid: sql`m.status = 'paid'`,
  declined: sql`m.status = 'declined'`,
};

/** The list of what `filter` chooses. Raises `not-found` and `usage` for names that mean nothing or several things. */
export async function listCommissions(
  session: Session,
  accountId: number,
  filter: CommissionFilter,
): Promise<CommissionList> {
  const chosen = await conditionOf(session, accountId, filter);
  const held = filter.heldAt && (await heldQuery(session, accountId, filter.heldAt));
  const from = held ? sql`(${held}) h join commission m on m.id = h.id` : sql`commission m`;
  const read = async (after: string | undefined, atMost: number) => {
    const behind = after === undefined ? sql`true` : sql`m.id > ${after}::uuid`;
    const rows = await sql<Row>`/* ledger.commissions */
      with m as materialized (
        select m.*, ${held ? sql`h.reason` : sql`null`} as held from ${from}
        where ${chosen} and ${behind} order by m.id limit ${atMost}
      )
      ${shown(accountId)} order by m.id`.execute(session.sql);
    return rows.rows.map(({ sale, ...row }) => ({ ...row, sale: sale && givenId(sale) }));
  };
  return {
    page: (choice) =>
      readPage(
        choice,
        (row) => row.id,
        (atMost) => read(choice.after, atMost),
      ),
    sums: async () => {
      const sums = await sql<CommissionSum>`/* ledger.commissions.sums */
        select m.currency, count(*)::integer as lines, sum(m.amount)::bigint as amount
        from ${from} where ${chosen} group by m.currency order by m.currency`.execute(session.sql);
      return sums.rows;
    },
  };
}

type Row = ListedCommission;

/** What people ask about the commissions `m`, of which there are as many as a page has. */
const shown = (accountId: number) => sql`
  select m.id, a.ref as affiliate, a.name as "affiliateName", p.ref as program, p.timezone as zone, c.external_id as sale,
    c.amount as "saleAmount", c.currency as "saleCurrency", c.occurred_at as "occurredAt", m.amount, m.currency,
    m.hold_until as "holdUntil", o.reference as payout, m.held,
    case m.status when 'pending_manual_approval' then 'awaiting'
      when 'ready_for_payment' then case when m.payout_id is null then 'ready' else 'in_payout' end
      else m.status end as state,
    coalesce('refund ' || r.external_id, 'adjustment: ' || j.reason, m.reason,
      case when m.reverses is not null then 'correction' end) as note
  from m
  join affiliate a on a.account_id = ${accountId} and a.id = m.affiliate_id
  join program p on p.account_id = ${accountId} and p.id = m.program_id
  left join conversion c on c.account_id = ${accountId} and c.id = coalesce(m.reverses, m.id)
  left join refund r on r.account_id = ${accountId} and r.id = m.id
  left join adjustment j on j.account_id = ${accountId} and j.id = m.id
  left join payout o on o.account_id = ${accountId} and o.id = m.payout_id`;

async function conditionOf(
  session: Session,
  accountId: number,
  filter: CommissionFilter,
): Promise<RawBuilder<unknown>> {
  const { state, affiliate, program, source, dueBefore, currency, ids } = filter;
  const parts = [sql`m.account_id = ${accountId}`];
  if (state !== undefined) parts.push(states[state]);
  if (affiliate !== undefined)
    parts.push(sql`m.affiliate_id = ${(await findAffiliate(session, accountId, affiliate)).id}::uuid`);
  if (program !== undefined)
    parts.push(sql`m.program_id = ${(await findProgram(session, accountId, program)).id}::uuid`);
  if (source !== undefined) {
    const sourceId = await findSource(session, accountId, source);
    parts.push(sql`exists (
      select from conversion s where s.account_id = ${accountId} and s.id = coalesce(m.reverses, m.id)
        and s.import_id = any(array(select id from import where account_id = ${accountId} and source_id = ${sourceId}::uuid)))`);
  }
  if (dueBefore !== undefined) parts.push(await isDueBefore(session, accountId, dueBefore));
  if (currency !== undefined) parts.push(sql`m.currency = ${currency}`);
  if (ids !== undefined) parts.push(sql`m.id = any(${ids}::uuid[])`);
  return sql.join(parts, sql` and `);
}

async function isDueBefore(session: Session, accountId: number, day: string): Promise<RawBuilder<unknown>> {
  const programs = await session.sql
    .selectFrom('program')
    .select(['id', 'timezone'])
    .where('account_id', '=', accountId)
    .execute();
  const due = programs.map(
    ({ id, timezone }) =>
      sql`m.program_id = ${id}::uuid and m.hold_until < ${startOfDay(day, timezone)}::timestamptz`,
  );
  return due.length === 0 ? sql`false` : sql`(${sql.join(due, sql` or `)})`;
}
