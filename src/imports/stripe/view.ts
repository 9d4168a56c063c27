import { exponentOf } from '../../money.ts';
import type { LogView } from '../log-survey.ts';
import type { StripeReading } from './fact.ts';
import { objectOf } from './object.ts';
import { paidBy } from './payment.ts';

/** The events that tell of a charge's money: a charge that is paid at once has the first, one paid later the second. */
const paying = new Set<unknown>(['charge.succeeded', 'charge.captured']);

/** How logs of Stripe's events are looked at. */
export function stripeView({ testEvents }: Pick<StripeReading, 'testEvents'>): LogView {
  return {
    amountOf(event) {
      if (!paying.has(event.type) || (event.livemode === false && !testEvents)) return undefined;
      const charge = objectOf(objectOf(event.data)?.object);
      if (!charge) return 'unreadable';
      const money = paidBy(charge);
      if (!money) return undefined;
      if ('fault' in money) return 'unreadable';
      const { amount, currency } = money;
      return { currency, amount: { units: amount, scale: exponentOf(currency) } };
    },
  };
}
