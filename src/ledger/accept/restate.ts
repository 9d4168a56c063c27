import { type Selectable, sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { ConversionRow, ProgramRow, SalesStatus } from '../../db/tables.ts';
import { newId } from '../../ids.ts';
import { correct, createCorrections } from '../correct.ts';
import { type Mover, postings } from '../journal.ts';
import { customersOf } from '../record/introduce.ts';
import { programTerms } from '../record.ts';
import { refreshDifferences } from './others.ts';
import { type Priced, priceAnew } from './price-anew.ts';
import { earnedBy, presentTerms, type Terms } from './terms.ts';
import type { Version } from './version.ts';

type Conversion = Selectable<ConversionRow>;

/**
 * Gives a sale the facts of `version`, whose affiliate is the sale's, and books what its commission differs by; a sale
 * without commission gets one where its products, or a failure that is none, were the reason. Returns the sale's id.
 */
export async function restate(
  session: Session,
  mover: Mover,
  version: Version,
  conversion: Conversion,
  program: Selectable<ProgramRow>,
): Promise<string> {
  const status = await statusOf(session, mover.accountId, version, conversion);
  const present = await presentTerms(session, mover.accountId, conversion.id);
  const isOtherRule = differ(version.product_ids, conversion.product_ids);
  const earnsAgain = !present && (isOtherRule || conversion.sales_status === 'failed');
  const priced =
    status !== 'failed' && (earnsAgain || (present && isOtherRule))
      ? await priceAnew(
          session,
          mover.accountId,
          {
            program: await programTerms(session, mover.accountId, conversion.program_id),
            rounding: present?.rounding ?? program.rounding,
          },
          { ...version, sales_status: status },
          conversion,
        )
      : undefined;
  await writeFacts(session, mover, version, conversion, status);
  const terms: Terms | undefined =
    !present || status === 'failed'
      ? undefined
      : priced
        ? { ...priced, earns: priced.earns ?? 0n }
        : { ...present, earns: await earnedBy(session, present, version, program.currency) };
  if (present) await settle(session, mover, version, conversion, { was: present.earns, terms });
  else if (priced) await earn(session, mover, version, conversion, { priced, program });
  await refreshDifferences(session, mover.accountId, conversion.id, conversion.id);
  return conversion.id;
}

/** The status moves along but not back; what was refunded decides between the refunded ones. */
async function statusOf(
  session: Session,
  accountId: number,
  version: Version,
  conversion: Conversion,
): Promise<SalesStatus> {
  if (conversion.sales_status === 'refunded' || conversion.sales_status === 'partial_refunded') {
    const rows = await sql<{ whole: boolean }>`/* ledger.accept.whole */
      select sum(amount) = ${version.amount}::bigint as whole from refund
      where account_id = ${accountId} and conversion_id = ${conversion.id}::uuid and taken_back is null`.execute(
      session.sql,
    );
    return rows.rows[0]?.whole ? 'refunded' : 'partial_refunded';
  }
  const isEarlier = version.sales_status === 'open' || version.sales_status === 'trialing';
  return isEarlier && conversion.sales_status !== 'failed' ? conversion.sales_status : version.sales_status;
}

async function writeFacts(
  session: Session,
  mover: Mover,
  version: Version,
  conversion: Conversion,
  status: SalesStatus,
): Promise<void> {
  await session.sql
    .updateTable('conversion')
    .set({
      amount: version.amount,
      currency: version.currency,
      fingerprint: version.fingerprint,
      occurred_at: version.occurred_at_given ? version.occurred_at : conversion.occurred_at,
      occurred_at_given: version.occurred_at_given,
      product_ids: version.product_ids,
      price_ids: version.price_ids ?? conversion.price_ids,
      interval: version.interval ?? conversion.interval,
      is_subscription: version.is_subscription ?? conversion.is_subscription,
      sales_status: status,
    })
    .where('account_id', '=', mover.accountId)
    .where('id', '=', conversion.id)
    .where('taken_back', 'is', null)
    .execute();
  if (status !== 'complete' || conversion.sales_status === 'complete') return;
  await sql`/* ledger.accept.customer */
    with sold as (
      select referral_id, occurred_at, is_subscription, sales_status from conversion
      where account_id = ${mover.accountId} and id = ${conversion.id}::uuid and referral_id is not null
    )
    ${customersOf(sql`sold`, mover)}`.execute(session.sql);
}

/** Without terms the sale earns nothing from now on. */
async function settle(
  session: Session,
  mover: Mover,
  version: Version,
  conversion: Conversion,
  { was, terms }: { was: bigint; terms: Terms | undefined },
): Promise<void> {
  await createCorrections(session);
  await sql`insert into correction_stage (id, conversion_id, earned, incentive_id, rate_ppm, fixed_amount, overridden,
      fx_rate, fx_day, fx_source)
    values (${newId(mover.now)}, ${conversion.id}, ${(terms?.earns ?? 0n) - was}, ${terms?.incentive_id ?? null},
      ${terms?.rate_ppm ?? null}, ${terms?.fixed_amount ?? null}, ${terms?.overridden ?? null}, ${version.fx_rate},
      ${version.fx_day}, ${version.fx_source})`.execute(session.sql);
  await correct(session, mover, { conflictId: version.id }, 'accepted versions of sales left nothing to pay');
}

/** The commission of a sale that had none, or the reason of now why it has none still. */
async function earn(
  session: Session,
  mover: Mover,
  version: Version,
  { id, program_id, affiliate_id }: Conversion,
  { priced, program }: { priced: Priced; program: Selectable<ProgramRow> },
): Promise<void> {
  const { accountId, runId, now } = mover;
  await session.sql
    .updateTable('conversion')
    .set({ no_commission_reason: priced.no_commission_reason })
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .execute();
  if (priced.no_commission_reason !== null) return;
  await sql`/* ledger.accept.earn */
    with earned as (
      insert into commission (account_id, id, program_id, affiliate_id, amount, hold_until, status_at, status_run_id,
        incentive_id, rate_ppm, hold_days, overridden, currency, status, rounding, fx_rate, fx_day, fx_source)
      values (${accountId}, ${id}, ${program_id}, ${affiliate_id}, ${priced.earns}, ${priced.hold_until}, ${now}, ${runId},
        ${priced.incentive_id}, ${priced.rate_ppm}, ${priced.days}, ${priced.overridden}, ${program.currency}, 'pending',
        ${program.rounding}, ${version.fx_rate}, ${version.fx_day}, ${version.fx_source})
      returning affiliate_id, currency, amount
    )
    ${postings(sql`earned`, mover, { movement: 'record', from: 'earned', to: 'pending' })}`.execute(
    session.sql,
  );
  await createCorrections(session);
  await sql`insert into correction_stage (id, conversion_id, earned) values (${newId(now)}, ${id}, 0)`.execute(
    session.sql,
  );
  await correct(session, mover, { conflictId: version.id }, 'refunds left nothing to pay');
}

function differ(theirs: string[] | null, ours: string[] | null): boolean {
  return JSON.stringify(theirs) !== JSON.stringify(ours);
}
