import type { Db } from '../../src/db/connect.ts';
import { type Desk, openDesk } from '../support/desk.ts';
import { decimalText } from '../support/oracle.ts';
import { type DreamtWorld, ratesOf } from '../support/worlds.ts';
import { withPoint } from './selling.ts';

/** The dreamt programme in the words of payrun.json, with its affiliates and rates, and `more` sources. */
export async function dreamtDesk(
  db: Db,
  dreamt: DreamtWorld,
  more: Record<string, unknown>[] = [],
): Promise<Desk> {
  const { terms } = dreamt;
  const words = (rule: { percent?: string | undefined; fixed?: bigint | undefined }) =>
    rule.fixed === undefined ? { percent: rule.percent } : { fixed: decimalText(rule.fixed, terms.currency) };
  const desk = await openDesk(db, {
    program: {
      currency: terms.currency,
      timezone: terms.timezone,
      hold_days: terms.holdDays,
      rounding: terms.rounding,
      commission: terms.commission && words(terms.commission),
      incentives: terms.incentives.map((one) => ({
        ref: one.ref,
        ...words(one),
        product_ids: one.products,
        price_ids: one.prices,
        interval: one.interval,
        subscription_only: one.subscriptionOnly,
        hold_days: one.holdDays,
        duration: one.months || one.payments ? { months: one.months, payments: one.payments } : undefined,
        priority: one.priority,
      })),
    },
    rates: ratesOf(dreamt),
    sources: [withPoint, ...more],
  });
  const people = Object.entries(terms.affiliates).map(
    ([ref, { status, override }]) => `${ref},${ref},${status},${override ?? ''}`,
  );
  await desk.land('affiliates', `ref,name,status,commission_override\n${people.join('\n')}\n`);
  return desk;
}
