import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { ProgramRow, Rounding } from '../../db/tables.ts';
import { minorRateOf } from '../../money.ts';
import { commissionAmount } from '../record/price.ts';
import type { Version } from './version.ts';

/** By which rule a commission earns, and how much; `earns` in minor units of the programme's currency. */
export interface Terms {
  earns: bigint;
  incentive_id: string | null;
  /** Null for a fixed amount, which then is `fixed_amount`. */
  rate_ppm: number | null;
  fixed_amount: bigint | null;
  overridden: boolean;
}

/** The terms of a commission as they are now: its own, or those of the last version that was accepted. */
export async function presentTerms(
  session: Session,
  accountId: number,
  commissionId: string,
): Promise<(Terms & { rounding: Rounding }) | undefined> {
  const rows = await sql<Terms & { rounding: Rounding }>`/* ledger.accept.terms */
    select o.rounding, (o.amount + coalesce(all_of.earned, 0))::bigint as earns,
      case when last.id is null then o.incentive_id else last.incentive_id end as incentive_id,
      case when last.id is null then o.rate_ppm else last.rate_ppm end as rate_ppm,
      case when last.id is not null then last.fixed_amount when o.rate_ppm is null then o.amount end as fixed_amount,
      case when last.id is null then o.overridden else last.overridden end as overridden
    from commission o
    left join lateral (
      select sum(earned) as earned from correction where account_id = ${accountId} and conversion_id = o.id
    ) all_of on true
    left join lateral (
      select * from correction where account_id = ${accountId} and conversion_id = o.id
        and (rate_ppm is not null or fixed_amount is not null)
      order by place desc limit 1
    ) last on true
    where o.account_id = ${accountId} and o.id = ${commissionId}::uuid`.execute(session.sql);
  return rows.rows[0];
}

/** What the version earns by terms that stay as they are. */
export async function earnedBy(
  session: Session,
  terms: Terms & { rounding: Rounding },
  version: Version,
  currency: ProgramRow['currency'],
): Promise<bigint> {
  const rate = version.fx_rate === null ? null : minorRateOf(version.fx_rate, version.currency, currency);
  const rows = await sql<{ earned: bigint }>`/* ledger.accept.earned */
    select (${commissionAmount(terms.rounding)})::bigint as earned
    from (select ${version.amount}::bigint as amount, ${terms.rate_ppm}::bigint as ppm, ${terms.fixed_amount}::bigint as fixed_amount,
      ${rate}::numeric as fx_minor_rate) given`.execute(session.sql);
  return rows.rows[0]!.earned;
}
