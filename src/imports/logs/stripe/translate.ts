import type { DisputeState } from '../../../db/tables.ts';
import { formatAmount } from '../../../money.ts';
import type { RowFault } from '../../faults.ts';
import type { LogLine } from '../../files/ndjson.ts';
import { Horizon } from '../../values/horizon.ts';
import { parseObject } from '../json-object.ts';
import { writtenNumber } from '../written-number.ts';
import type { Happened, StripeFact, StripeReading } from './fact.ts';
import { attributionOf, idOf, instantOf, objectOf, type StripeObject, textOf } from './object.ts';
import { chargeFact, invoiceFact, invoicePaymentFact, moneyOf, personFact, sessionFact } from './payment.ts';

const translations: Record<string, (happened: Happened, reading: StripeReading) => StripeFact> = {
  'charge.succeeded': chargeFact,
  'charge.captured': chargeFact,
  'charge.refunded': refundFact,
  'charge.refund.updated': failedRefundFact,
  'refund.updated': failedRefundFact,
  'refund.failed': failedRefundFact,
  'charge.dispute.created': disputeFact,
  'charge.dispute.updated': disputeFact,
  'charge.dispute.funds_withdrawn': disputeFact,
  'charge.dispute.funds_reinstated': disputeFact,
  'charge.dispute.closed': disputeFact,
  'invoice.paid': invoiceFact,
  'invoice.payment_succeeded': invoiceFact,
  'invoice_payment.paid': invoicePaymentFact,
  'checkout.session.completed': sessionFact,
  'checkout.session.async_payment_succeeded': sessionFact,
  'customer.created': customerFact,
  'customer.updated': customerFact,
  'customer.subscription.created': subscriptionFact,
  'customer.subscription.updated': subscriptionFact,
  'customer.subscription.deleted': cancellationFact,
};

/**
 * A function that turns a line of a Stripe event log into what it means here.
 *
 * A sale is a charge, under the charge's id: that is the id that affilut's conversions carry (`stripeChargeId`) and that
 * Stripe's own exports of payments have in their first column, so that the same payment is the same sale whichever way
 * it comes, and refunds and disputes of every API version name it. A charge that succeeded is recorded by itself. An
 * invoice that names its charge (those of API versions before 2025-03-31) is a second witness of it: same id, same amount,
 * and no moment of its own among its facts. Invoices since then and checkouts name payment intents alone, and a payment
 * intent may have several charges: they record nothing, and say who brought the customer and what was sold.
 *
 * Refunds are read from the charge, which carries their sum, and not from refund.* as well: either tells of the same
 * refund, and only the sum can be read in any order and any number of times. That a refund failed, or was canceled, is told
 * of the refund alone.
 */
export function stripeReader(reading: StripeReading): (line: LogLine) => StripeFact {
  const horizon = new Horizon(reading.receivedAt);
  return ({ n, line, text }) => {
    const event = parseObject(text);
    if (typeof event === 'string') return faulty({ code: 'json', field: '', found: event });
    const type = textOf(event.type);
    if (event.object !== 'event')
      return faulty({ code: 'stripe-event', field: 'object', found: textOf(event.object) ?? '' });
    if (type === undefined) return faulty({ code: 'required', field: 'type', found: '' });
    const translate = isTranslated(type) ? translations[type] : undefined;
    if (!translate) return { kind: 'ignored', why: 'type' };
    if (event.livemode === false && !reading.testEvents) return { kind: 'ignored', why: 'test' };
    const object = objectOf(objectOf(event.data)?.object);
    const [id, occurredAt] = [textOf(event.id), instantOf(event.created)];
    if (id === undefined || id.length > 255) return faulty({ code: 'required', field: 'id', found: '' });
    if (!occurredAt) return faulty({ code: 'required', field: 'created', found: '' });
    if (horizon.of(occurredAt) === 'far')
      return faulty({ code: 'date-future', field: 'created', found: occurredAt });
    if (!object) return faulty({ code: 'required', field: 'data.object', found: '' });
    const fact = translate({ n, line, id, type, occurredAt, object }, reading);
    return tooLong(fact) ?? asWritten(fact, text);
  };
}

/** Whether events of a type mean anything here. */
export function isTranslated(type: string): boolean {
  return Object.hasOwn(translations, type);
}

/** The id of the event on a line that was translated before. */
export function eventIdOf(text: string): string | undefined {
  return textOf((JSON.parse(text) as StripeObject).id);
}

function refundFact(happened: Happened, { idPrefix }: StripeReading): StripeFact {
  const { n, line, object: charge, occurredAt } = happened;
  const money = moneyOf(charge.amount_refunded, charge.currency, 'amount_refunded');
  const id = idOf(charge.id);
  if (!id) return faulty({ code: 'required', field: 'id', found: '' });
  if ('fault' in money) return { kind: 'fault', fault: money.fault };
  const { amount, currency } = money;
  const saleExternalId = idPrefix + id;
  const refund = {
    n,
    line,
    externalId: `${saleExternalId}#refunded:${formatAmount(amount, currency)}@${occurredAt}`,
    saleExternalId,
    amount,
    currency,
    occurredAt,
    attribution: attributionOf(charge, charge.payment_intent, charge.customer),
  };
  return { kind: 'refund', refund: { ...refund, isTotal: true, occurredAtGiven: true } };
}

/** A refund that failed or was canceled; what it comes to while it is under way is told by its charge. */
function failedRefundFact(happened: Happened, { idPrefix }: StripeReading): StripeFact {
  const { n, line, object: refund, occurredAt } = happened;
  if (refund.status !== 'failed' && refund.status !== 'canceled') return { kind: 'ignored', why: 'type' };
  const money = moneyOf(refund.amount, refund.currency, 'amount');
  const [id, charge] = [idOf(refund.id), idOf(refund.charge)];
  if (!id) return faulty({ code: 'required', field: 'id', found: '' });
  if (!charge) return { kind: 'ignored', why: 'no-charge' };
  if ('fault' in money) return { kind: 'fault', fault: money.fault };
  if (money.amount === 0n) return { kind: 'ignored', why: 'no-money' };
  const ids = { externalId: `${idPrefix}${id}#failed`, saleExternalId: idPrefix + charge };
  const failed = { givesBack: true, madeAt: instantOf(refund.created) };
  return {
    kind: 'failure',
    refund: { n, line, ...ids, ...money, ...failed, isTotal: false, occurredAt, occurredAtGiven: true },
  };
}

/** States in which a dispute is over; every one but lost lifts its flag: won, an inquiry that was closed, refunded meanwhile. */
const ends: Record<string, DisputeState> = {
  lost: 'lost',
  won: 'won',
  warning_closed: 'won',
  prevented: 'won',
  charge_refunded: 'won',
};
/** Events that say that a dispute is over, whatever its state is called. */
const ending = new Set(['charge.dispute.closed', 'charge.dispute.funds_reinstated']);

/** What a dispute has come to is what the object says, whichever event brings it: one may be lost when it is created. */
function disputeFact(happened: Happened, { idPrefix }: StripeReading): StripeFact {
  const { n, line, type, object: dispute } = happened;
  const state = ends[textOf(dispute.status) ?? ''] ?? (ending.has(type) ? 'won' : 'opened');
  const money = moneyOf(dispute.amount, dispute.currency, 'amount');
  const charge = idOf(dispute.charge);
  if (!charge) return faulty({ code: 'required', field: 'charge', found: '' });
  if ('fault' in money) return { kind: 'fault', fault: money.fault };
  const opened = state === 'opened' ? instantOf(dispute.created) : undefined;
  // The oldest API versions gave a dispute no id: a charge had one at most.
  const externalId = idPrefix + (idOf(dispute.id) ?? `${charge}#dispute`);
  const occurredAt = opened ?? happened.occurredAt;
  return {
    kind: 'dispute',
    dispute: { n, line, externalId, saleExternalId: idPrefix + charge, state, ...money, occurredAt },
  };
}

function customerFact(happened: Happened, reading: StripeReading): StripeFact {
  const { object: customer } = happened;
  const who = { ...attributionOf(customer), customerId: idOf(customer.id) };
  return personFact(happened, reading, { who, else: 'unattributed' });
}

function subscriptionFact(happened: Happened, reading: StripeReading): StripeFact {
  const { object: subscription } = happened;
  const who = attributionOf(subscription, subscription.customer);
  return personFact(happened, reading, { who, else: 'unattributed' });
}

function cancellationFact(
  { n, line, id, type, occurredAt, object: subscription }: Happened,
  { idPrefix }: StripeReading,
): StripeFact {
  const who = attributionOf(subscription, subscription.customer);
  if (who.customerId === undefined) return { kind: 'ignored', why: 'unattributed' };
  const event = { n, line, eventType: 'cancellation' as const, eventName: type, externalId: idPrefix + id };
  return { kind: 'person', event: { ...event, ...who, occurredAt, occurredAtGiven: true } };
}

function faulty(fault: RowFault): StripeFact {
  return { kind: 'fault', fault };
}

/** A fact with the amount that is wrong in it as its line has it, where that is beyond the numbers that are exact. */
function asWritten(fact: StripeFact, line: string): StripeFact {
  const found = fact.kind === 'fault' ? fact.fault.found : 'sale' in fact ? fact.sale.faultFound : undefined;
  const [amount] = /^-?\d{16,}(?= )/.exec(found ?? '') ?? [];
  if (amount === undefined) return fact;
  const written = found!.replace(amount, writtenNumber(line, Number(amount)));
  if (fact.kind === 'fault') fact.fault.found = written;
  else if ('sale' in fact) fact.sale.faultFound = written;
  return fact;
}

/** An identifier that is longer than any of Stripe's, which the ledger would not take. */
function tooLong(fact: StripeFact): StripeFact | undefined {
  const who = fact.kind === 'person' ? fact.event : 'sale' in fact ? fact.sale : undefined;
  if (!who) return undefined;
  const names = [
    ['metadata.affiliate_id', who.affiliate],
    ['metadata.affiliate_session_id', who.clickId],
    ['customer', who.customerId],
  ] as const;
  const field = names.find(([, text]) => (text?.length ?? 0) > 255)?.[0];
  return field && faulty({ code: 'too-long', field, found: '' });
}
