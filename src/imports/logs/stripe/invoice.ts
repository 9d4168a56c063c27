import type { StagedSale } from '../../../ledger/stage.ts';
import { canonicalList } from '../../values/values.ts';
import { entriesOf, idOf, objectOf, type StripeObject, textOf } from './object.ts';

/** What the lines of an invoice say about what was sold. */
export type Terms = Pick<StagedSale, 'productIds' | 'priceIds' | 'interval' | 'isSubscription'>;

/*
 * Until API version 2025-03-31 an invoice names its charge and payment intent and its lines hold prices; since then it
 * may list its payments (only where a reader asked for them, which webhooks do not), and lines name prices by id.
 * Events of both are told apart by what they hold: a log may have either, and api_version is not always there.
 */

/** The one charge by which an invoice was paid, where it names one. */
export function chargeOf(invoice: StripeObject): string | undefined {
  const charges = entriesOf(invoice.payments).map((one) => idOf(objectOf(one.payment)?.charge));
  return idOf(invoice.charge) ?? (charges.length === 1 ? charges[0] : undefined);
}

/** The payment intents and charges that paid an invoice, as far as it names them. */
export function paymentsOf(invoice: StripeObject): string[] {
  const payments = entriesOf(invoice.payments).map((one) => objectOf(one.payment));
  const ids = [invoice, ...payments].flatMap((one) => [idOf(one?.payment_intent), idOf(one?.charge)]);
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** What tells about an invoice's subscription, with its metadata as they were when the invoice was made. */
export function subscriptionOf(invoice: StripeObject): StripeObject | undefined {
  const details =
    objectOf(objectOf(invoice.parent)?.subscription_details) ?? objectOf(invoice.subscription_details);
  return details ?? objectOf(invoice.subscription);
}

/** The id of the subscription that an invoice is for. */
export function subscriptionIdOf(invoice: StripeObject): string | undefined {
  const details = objectOf(objectOf(invoice.parent)?.subscription_details);
  return idOf(invoice.subscription) ?? idOf(details?.subscription);
}

/** Products, prices and interval of the lines that were charged for; credits for what was not used are left out. */
export function termsOf(invoice: StripeObject): Terms {
  const lines = entriesOf(invoice.lines).filter(({ amount }) => typeof amount === 'number' && amount > 0);
  const prices = lines.map(({ price, plan, pricing }) => {
    const details = objectOf(objectOf(pricing)?.price_details);
    const known = objectOf(price) ?? objectOf(details?.price) ?? objectOf(plan);
    return {
      price: idOf(price) ?? idOf(details?.price) ?? idOf(plan),
      product: idOf(known?.product) ?? idOf(details?.product),
      interval: intervalOf(objectOf(known?.recurring) ?? known),
    };
  });
  const intervals = new Set(prices.map((one) => one.interval));
  return {
    productIds: canonicalList(prices.flatMap(({ product }) => product ?? [])),
    priceIds: canonicalList(prices.flatMap(({ price }) => price ?? [])),
    interval: intervals.size === 1 ? [...intervals][0] : undefined,
    isSubscription: idOf(invoice.subscription) !== undefined || subscriptionOf(invoice) !== undefined,
  };
}

function intervalOf(recurring: StripeObject | undefined): 'monthly' | 'yearly' | undefined {
  const every = `${recurring?.interval_count ?? 1} ${textOf(recurring?.interval)}`;
  if (every === '1 month') return 'monthly';
  return every === '1 year' || every === '12 month' ? 'yearly' : undefined;
}
