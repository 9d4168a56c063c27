import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { noRows } from '../../ledger/record/verdicts.ts';
import { RefundStage, reverse } from '../../ledger/reverse.ts';
import { createStage } from '../../ledger/stage.ts';
import { faultMessage } from '../faults.ts';
import type { Brought } from './count-up.ts';
import type { RequestDay } from './day.ts';

/** A refund that a request asks for. */
export interface RefundRequest {
  conversionId: string;
  /** The refund's own id, with the source's prefix. */
  externalId: string;
  /** Minor units of the sale's currency, more than zero; undefined for all that remains of the sale. */
  amount: bigint | undefined;
  /** ISO 8601; undefined where the request does not say. */
  occurredAt: string | undefined;
}

/** How a refund ended: `duplicate` also where nothing remained that could be refunded, `conflict` for one with other facts. */
export type RefundVerdict =
  | { verdict: 'recorded' | 'duplicate' | 'conflict' }
  | { verdict: 'rejected'; code: string; message: string };

const nothing = { sales: new Map(), commissions: new Map() };

/** Books a refund of one sale, which is there, by the door of all refunds; in the caller's transaction. */
export async function refundSale(
  session: Session,
  { mover, importId }: RequestDay,
  refund: RefundRequest,
): Promise<Brought & { verdict: RefundVerdict }> {
  const { accountId, now } = mover;
  const sale = await lockSale(session, accountId, refund.conversionId);
  const known = await knownAmount(session, accountId, refund.externalId);
  const amount = refund.amount ?? known ?? sale.remaining;
  if (refund.amount === undefined && known === undefined && amount === 0n)
    return { ...nothing, counts: { ...noRows, duplicates: 1 }, verdict: { verdict: 'duplicate' } };
  await createStage(session);
  const stage = await new RefundStage(session).open();
  await stage.add({
    n: 1,
    line: 1,
    externalId: refund.externalId,
    saleExternalId: sale.external_id,
    amount,
    isTotal: false,
    currency: sale.currency,
    occurredAt: refund.occurredAt ?? now.toISOString(),
    occurredAtGiven: refund.occurredAt !== undefined,
  });
  await stage.flush();
  const { rows, sales, commissions } = await reverse(session, mover, importId);
  return { counts: { ...noRows, ...rows }, sales, commissions, verdict: await verdictOf(session, rows) };
}

async function lockSale(session: Session, accountId: number, conversionId: string) {
  const found = await sql<{ external_id: string; currency: string; remaining: bigint }>`
    /* imports.requests.refundable */
    with sale as materialized (
      select * from conversion where account_id = ${accountId} and id = ${conversionId} for no key update
    )
    select external_id, currency from sale`.execute(session.sql);
  const [sale] = found.rows;
  // What was refunded meanwhile is seen by a statement that begins when the sale is locked.
  const left = await sql<{ remaining: bigint }>`/* imports.requests.remaining */
    select c.amount - coalesce((select sum(r.amount) from refund r
      where r.account_id = ${accountId} and r.conversion_id = c.id and r.taken_back is null), 0)::bigint as remaining
    from conversion c where c.account_id = ${accountId} and c.id = ${conversionId}`.execute(session.sql);
  return { ...sale!, remaining: left.rows[0]!.remaining };
}

/** The amount of a refund that has the id already, so that a repetition which names none says the same. */
async function knownAmount(
  session: Session,
  accountId: number,
  externalId: string,
): Promise<bigint | undefined> {
  const found = await session.sql
    .selectFrom('refund')
    .select('stated_amount')
    .where('account_id', '=', accountId)
    .where('external_id', '=', externalId)
    .executeTakeFirst();
  return found?.stated_amount;
}

async function verdictOf(
  session: Session,
  rows: Awaited<ReturnType<typeof reverse>>['rows'],
): Promise<RefundVerdict> {
  if (rows.recorded > 0) return { verdict: 'recorded' };
  if (rows.duplicates > 0) return { verdict: 'duplicate' };
  if (rows.conflicts > 0) return { verdict: 'conflict' };
  const refused = await sql<{
    code: string;
    field: string;
    found: string;
  }>`/* imports.requests.refund_refused */
    select code, coalesce(field, '') as field, coalesce(found, '') as found from outcome where n = 1`.execute(
    session.sql,
  );
  const { code, field, found } = refused.rows[0]!;
  return { verdict: 'rejected', code, message: faultMessage(code, field, found) };
}
