import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { difference } from '../record/difference.ts';

/**
 * After a version of sale `from` was accepted, and `to` is what counts now: the conflicts about it that wait still say in
 * what they differ from that. Conflicts that did not keep their version whole say what they said.
 */
export async function refreshDifferences(
  session: Session,
  accountId: number,
  from: string,
  to: string,
): Promise<void> {
  const differs = difference({
    affiliateId: sql`k.affiliate_id`,
    affiliateRef: sql`theirs.ref`,
    row: sql`k`,
    productIds: sql`k.product_ids`,
  });
  await sql`/* ledger.accept.others */
    update conflict set conversion_id = ${to}::uuid, difference = anew.difference
    from (
      select k.id, case when differs.fields = '{}' then jsonb_build_object('sales_status',
        jsonb_build_object('ours', c.sales_status, 'theirs', k.sales_status)) else differs.fields end as difference
      from conflict k
      join conversion c on c.account_id = ${accountId} and c.id = ${to}::uuid
      join affiliate ours on ours.account_id = ${accountId} and ours.id = c.affiliate_id
      join affiliate theirs on theirs.account_id = ${accountId} and theirs.id = k.affiliate_id
      cross join lateral (select ${differs} as fields) differs
      where k.account_id = ${accountId} and k.conversion_id = ${from}::uuid and k.status = 'open' and k.about = 'sale'
        and k.amount is not null
    ) anew
    where conflict.account_id = ${accountId} and conflict.id = anew.id and conflict.status = 'open'`.execute(
    session.sql,
  );
}
