import { type Selectable, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { ConversionRow } from '../../db/tables.ts';
import { newIdPrefix } from '../../ids.ts';
import { minorRateOf } from '../../money.ts';
import { DisputeStage, dispute } from '../dispute.ts';
import type { Mover } from '../journal.ts';
import { postTally, programTerms, record } from '../record.ts';
import { RefundStage, reverse } from '../reverse.ts';
import { createStage } from '../stage.ts';
import { StageLoader } from '../stage-loader.ts';
import { StageWriter } from '../stage-writer.ts';
import { createTaken, takeBack } from '../take-back.ts';
import { refreshDifferences } from './others.ts';
import type { Version } from './version.ts';

/**
 * Takes a sale back from its affiliate and records `version`, which has another one, by the door of every sale; the
 * refunds and disputes of the sale, which wait for it meanwhile, follow. Returns the id of the new sale.
 */
export async function replace(
  session: Session,
  mover: Mover,
  version: Version,
  conversion: Selectable<ConversionRow>,
): Promise<string> {
  const { accountId } = mover;
  await createTaken(session);
  await sql`insert into taken values (${conversion.id}::uuid)`.execute(session.sql);
  const why = 'a version with another affiliate was accepted';
  await takeBack(session, mover, { conflictId: version.id }, why);
  await recordAnew(session, mover, version, conversion);
  await new RefundStage(session).open();
  await new DisputeStage(session).open();
  await dispute(session, mover, null);
  await reverse(session, mover, null);
  const sale = await session.sql
    .selectFrom('conversion')
    .select('id')
    .where('account_id', '=', accountId)
    .where('external_id', '=', version.external_id)
    .executeTakeFirstOrThrow();
  await refreshDifferences(session, accountId, conversion.id, sale.id);
  return sale.id;
}

async function recordAnew(
  session: Session,
  mover: Mover,
  version: Version,
  conversion: Selectable<ConversionRow>,
): Promise<void> {
  const { accountId } = mover;
  const program = await programTerms(session, accountId, conversion.program_id);
  const exchange =
    version.fx_rate === null
      ? {}
      : {
          fxRate: version.fx_rate,
          fxMinorRate: minorRateOf(version.fx_rate, version.currency, program.currency),
          fxDay: version.fx_day ?? undefined,
          fxSource: version.fx_source ?? undefined,
        };
  const sale = {
    n: 1,
    line: version.line,
    externalId: version.external_id,
    affiliate: version.affiliate_id,
    amount: version.amount,
    currency: version.currency,
    occurredAt: version.occurred_at.toISOString(),
    occurredAtGiven: version.occurred_at_given,
    salesStatus: version.sales_status,
    referralId: conversion.referral_id ?? undefined,
    customerId: conversion.customer_id ?? undefined,
    email: conversion.customer_email ?? undefined,
    productIds: version.product_ids ?? undefined,
    priceIds: version.price_ids ?? conversion.price_ids ?? undefined,
    interval: version.interval ?? conversion.interval ?? undefined,
    isSubscription: version.is_subscription ?? conversion.is_subscription ?? undefined,
    expense: conversion.expense ?? undefined,
    note: conversion.note ?? undefined,
    metadata: conversion.metadata === null ? undefined : JSON.stringify(conversion.metadata),
    ...exchange,
  };
  await createStage(session);
  const writer = new StageWriter(newIdPrefix(mover.now));
  writer.add(sale);
  await new StageLoader(session, accountId).load(writer.take());
  const hasCustomers = Boolean(sale.referralId ?? sale.customerId ?? sale.email);
  const batch = { program, importId: version.import_id, hasCustomers };
  const { recorded } = await record(session, mover, batch, false);
  if (recorded !== 1) throw new Error('An accepted version of a sale was not recorded.');
  await postTally(session, mover, batch);
}
