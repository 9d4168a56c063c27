import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { type Page, type PageChoice, readPage } from '../db/pages.ts';
import type { PayoutMethod, PayoutStatus } from '../db/tables.ts';
import { findAffiliate } from '../ledger/named.ts';

/** Who gets what: a payout with its affiliate; `amount` in minor units. */
export interface Payee {
  payoutId: string;
  batchId: string;
  reference: string;
  affiliate: string;
  name: string;
  method: PayoutMethod;
  amount: bigint;
  currency: string;
  lines: number;
  status: PayoutStatus;
  providerReference: string | null;
  reason: string | null;
}

/** Which payouts to list: those of some batches, of one affiliate where it is named by ref, short code, e-mail or id. */
export interface PayeeChoice extends PageChoice {
  batchIds: string[];
  affiliate?: string | undefined;
}

/**
 * A page of payouts by the name of their affiliates, at most `limit` of them, then by ref, which is the key: all of one
 * affiliate are on one page, also where several batches have one each. Raises `not-found` for an affiliate that is not there, in `after` too.
 */
export async function listPayees(
  session: Session,
  accountId: number,
  { batchIds, affiliate, after, limit }: PayeeChoice,
): Promise<Page<Payee>> {
  const only = affiliate === undefined ? undefined : await findAffiliate(session, accountId, affiliate);
  const behind = after === undefined ? undefined : await findAffiliate(session, accountId, after);
  const order = sql`lower(a.name) collate "C", a.ref collate "C"`;
  const { rows } = await sql<Payee>`/* payouts.payees */
    with who as materialized (
      select a.id, a.ref, row_number() over (order by ${order}) as place from affiliate a
      where a.account_id = ${accountId} ${only ? sql`and a.id = ${only.id}::uuid` : sql``}
        ${behind ? sql`and (${order}) > (select ${order} from affiliate a where a.account_id = ${accountId} and a.id = ${behind.id}::uuid)` : sql``}
        and exists (
          select from payout p
          where p.account_id = ${accountId} and p.affiliate_id = a.id and p.batch_id = any(${batchIds}::uuid[]))
      order by ${order} limit ${limit + 1}
    )
    select p.id as "payoutId", p.batch_id as "batchId", p.reference, who.ref as affiliate, p.payee_name as name, p.method,
      p.amount, p.currency, p.lines, p.status, p.provider_reference as "providerReference", p.reason
    from who join payout p on p.account_id = ${accountId} and p.affiliate_id = who.id and p.batch_id = any(${batchIds}::uuid[])
    order by who.place, p.currency, p.reference collate "C"`.execute(session.sql);
  const affiliates = [...new Set(rows.map(({ affiliate }) => affiliate))];
  const [over] = affiliates.slice(limit);
  const page =
    over === undefined
      ? rows
      : rows.slice(
          0,
          rows.findIndex(({ affiliate }) => affiliate === over),
        );
  return { rows: page, next: over === undefined ? null : affiliates[limit - 1]! };
}

/** Which payouts to page through: of a status, an affiliate or a batch, each where it is given. */
export interface PayoutChoice extends PageChoice {
  status?: PayoutStatus | undefined;
  affiliateId?: string | undefined;
  batchId?: string | undefined;
}

/** A page of the payouts of an account, newest first; the key is the UUID of a payout. */
export async function pagePayouts(
  session: Pick<Session, 'sql'>,
  accountId: number,
  { status, affiliateId, batchId, ...choice }: PayoutChoice,
): Promise<Page<Payee>> {
  const read = async (atMost: number) => {
    const { rows } = await sql<Payee>`/* payouts.page */
      select p.id as "payoutId", p.batch_id as "batchId", p.reference, a.ref as affiliate, p.payee_name as name, p.method,
        p.amount, p.currency, p.lines, p.status, p.provider_reference as "providerReference", p.reason
      from payout p join affiliate a on a.account_id = ${accountId} and a.id = p.affiliate_id
      where p.account_id = ${accountId}
        ${status === undefined ? sql`` : sql`and p.status = ${status}`}
        ${affiliateId === undefined ? sql`` : sql`and p.affiliate_id = ${affiliateId}::uuid`}
        ${batchId === undefined ? sql`` : sql`and p.batch_id = ${batchId}::uuid`}
        ${choice.after === undefined ? sql`` : sql`and p.id < ${choice.after}::uuid`}
      order by p.id desc limit ${atMost}`.execute(session.sql);
    return rows;
  };
  return readPage(choice, ({ payoutId }) => payoutId, read);
}
