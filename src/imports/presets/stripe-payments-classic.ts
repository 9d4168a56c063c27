import { paymentsOf } from './stripe-payments.ts';

/**
 * Stripe's payments until about 2022, whose time is in `Created (UTC)`, to the minute; the rest is as in the later
 * export. A payment that came through both is a conflict, because the times differ by its seconds.
 */
export const stripePaymentsClassic = paymentsOf(
  'stripe_payments_classic',
  'Stripe payments (classic)',
  'Created (UTC)',
);
