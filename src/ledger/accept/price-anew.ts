import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { ConversionRow, Rounding } from '../../db/tables.ts';
import { minorRateOf } from '../../money.ts';
import { batchSettings, type ProgramTerms } from '../record/batch.ts';
import { newRows, pricedSales } from '../record/price.ts';
import { createStage } from '../stage.ts';
import type { Terms } from './terms.ts';
import type { Version } from './version.ts';

/** The terms that a sale gets by the rules of now, or why it earns nothing, and how long its commission is held. */
export type Priced = Omit<Terms, 'earns'> & {
  earns: bigint | null;
  no_commission_reason: string | null;
  days: number;
  hold_until: Date;
};

/**
 * Prices a recorded sale as `record` would if it came now with the facts of `version`, without writing anything: it is
 * staged alone, under its own id, so that it does not count among its customer's earlier payments.
 */
export async function priceAnew(
  session: Session,
  accountId: number,
  { program, rounding }: { program: ProgramTerms; rounding: Rounding },
  version: Version,
  conversion: Selectable<ConversionRow>,
): Promise<Priced> {
  await createStage(session);
  const rate =
    version.fx_rate === null ? null : minorRateOf(version.fx_rate, version.currency, program.currency);
  await sql`insert into terms (no, product_ids, price_ids, interval, is_subscription)
    values (1, ${version.product_ids}, ${version.price_ids ?? conversion.price_ids}, ${version.interval ?? conversion.interval},
      ${version.is_subscription ?? conversion.is_subscription})`.execute(session.sql);
  await sql`insert into stage (id, n, line, external_id, terms_no, amount, currency, occurred_at, occurred_at_given, sales_status,
      fx_rate, fx_minor_rate, fx_day, fx_source)
    values (${conversion.id}, 1, ${version.line}, ${version.external_id}, 1, ${version.amount}, ${version.currency},
      ${version.occurred_at}, ${version.occurred_at_given}, ${version.sales_status}, ${version.fx_rate}, ${rate},
      ${version.fx_day}, ${version.fx_source})`.execute(session.sql);
  await sql`insert into verdict (n, verdict, affiliate_id, referral_id, fingerprint)
    values (1, 'new', ${version.affiliate_id}, ${conversion.referral_id}, ${version.fingerprint})`.execute(
    session.sql,
  );
  const batch = {
    program: { ...program, rounding },
    importId: version.import_id,
    hasCustomers: conversion.referral_id !== null,
  };
  const { steps, query } = pricedSales(accountId, batch, newRows);
  await session.client.query(batchSettings(session, batch));
  const rows = await sql<Priced>`/* ledger.accept.price */
    with ${steps} sale as (${query})
    select earned as earns, incentive_id, ppm as rate_ppm, case when ppm is null then earned end as fixed_amount, overridden,
      no_commission_reason, days, hold_until
    from sale`.execute(session.sql);
  await session.client.query(
    "set local timezone = 'UTC'; set local enable_nestloop = on; truncate stage, verdict, terms",
  );
  return rows.rows[0]!;
}
