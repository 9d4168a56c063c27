import type { IncentiveConfig } from '../../config.ts';
import type { Session } from '../connect.ts';
import type { IncentiveRow } from '../tables.ts';
import type { Fields, Pair } from './pair.ts';
import { commissionText, minorUnits, type Program } from './program.ts';

export type Incentive = Omit<IncentiveRow, 'account_id'>;

/** `program` is the row that the incentive belongs to. */
export function incentiveRow(id: string, incentive: IncentiveConfig, program: Program): Incentive {
  return {
    id,
    program_id: program.id,
    ref: incentive.ref,
    rate_ppm: incentive.percent ?? null,
    fixed_amount: minorUnits(incentive.fixed, program.currency),
    product_ids: incentive.product_ids ?? null,
    price_ids: incentive.price_ids ?? null,
    interval: incentive.interval ?? null,
    subscription_only: incentive.subscription_only,
    hold_days: incentive.hold_days ?? null,
    duration_months: incentive.duration?.months ?? null,
    duration_payments: incentive.duration?.payments ?? null,
    priority: incentive.priority,
    retired: false,
  };
}

/** `currency` is the one of the row's programme. */
export function incentiveFields(row: Incentive, currency: string): Fields {
  return {
    commission: commissionText(row, currency),
    product_ids: listText(row.product_ids),
    price_ids: listText(row.price_ids),
    interval: row.interval ?? 'any',
    subscription_only: row.subscription_only ? 'yes' : 'no',
    hold_days: row.hold_days === null ? "the programme's" : String(row.hold_days),
    duration: durationText(row),
    priority: String(row.priority),
  };
}

export const saveIncentive: Pair<Incentive>['save'] = async (session, accountId, row) => {
  const { id, ...values } = row;
  await session.sql
    .insertInto('incentive')
    .values({ account_id: accountId, id, ...values })
    .onConflict((conflict) => conflict.columns(['account_id', 'id']).doUpdateSet(values))
    .execute();
  const isLimited = row.duration_months !== null || row.duration_payments !== null;
  if (isLimited && !row.retired) await indexReferrals(session);
};

/**
 * Makes the index by which a sale finds those before it of the same referral. Only incentives that end need it, and
 * keeping it takes a fifth of the time in which customers' sales are recorded.
 */
async function indexReferrals(session: Session): Promise<void> {
  const found = await session.client.query("select to_regclass('conversion_referral') as name");
  if (found.rows[0].name !== null) return;
  await session.client.query(
    `/* apply.index_referrals */ create index conversion_referral on conversion (account_id, referral_id, occurred_at)
      where referral_id is not null`,
  );
}

function durationText(row: Incentive): string {
  if (row.duration_months !== null) return `${row.duration_months} months`;
  return row.duration_payments === null ? 'lifetime' : `${row.duration_payments} payments`;
}

function listText(list: string[] | null): string {
  return list === null ? 'any' : list.map((item) => JSON.stringify(item)).join(', ');
}
