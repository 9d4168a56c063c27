import type { StagedSale } from '../../../ledger/stage.ts';
import { isOrWasCurrency } from '../../../money.ts';
import type { RowFault } from '../../faults.ts';
import { setExchange } from '../../values/values.ts';
import { minorUnits } from './amount.ts';
import type { Happened, SaleFact, StripeFact, StripeReading } from './fact.ts';
import { chargeOf, paymentsOf, subscriptionIdOf, subscriptionOf, termsOf } from './invoice.ts';
import { attributionOf, idOf, instantOf, objectOf, type StripeObject, textOf } from './object.ts';

type Money = { amount: bigint; currency: string } | { fault: RowFault };

/** A succeeded or captured charge; one that is only authorised is no sale yet. */
export function chargeFact(happened: Happened, reading: StripeReading): StripeFact {
  const { object: charge } = happened;
  const money = paidBy(charge);
  if (!money || isNothing(money)) return { kind: 'ignored', why: 'no-money' };
  const sale = saleOf(happened, reading, {
    charge: idOf(charge.id),
    who: attributionOf(charge, charge.payment_intent, charge.customer),
    money,
    occurredAt: instantOf(charge.created),
    occurredAtGiven: true,
  });
  const ids = { paymentIntent: idOf(charge.payment_intent), invoice: idOf(charge.invoice) };
  return { ...sale, kind: 'charge', ...ids };
}

/** The money of a charge; undefined for one that is only authorised, or failed. */
export function paidBy(charge: StripeObject): Money | undefined {
  const isPaid = charge.captured !== false && charge.paid !== false && charge.status !== 'failed';
  return isPaid ? moneyOf(charge.amount_captured ?? charge.amount, charge.currency, 'amount') : undefined;
}

/**
 * A paid invoice. Where it names its charge it is that charge's sale, told by another witness who does not know to the
 * second when the charge was made; where it does not, it tells who brought the customer, and what was sold to whom.
 */
export function invoiceFact(happened: Happened, reading: StripeReading): StripeFact {
  const { object: invoice, occurredAt } = happened;
  const who = attributionOf(invoice, subscriptionOf(invoice), invoice.customer);
  const ids = { invoice: idOf(invoice.id), subscription: subscriptionIdOf(invoice) };
  const note = { ...who, ...termsOf(invoice), payments: paymentsOf(invoice), ...ids };
  const charge = chargeOf(invoice);
  const money = moneyOf(invoice.amount_paid, invoice.currency, 'amount_paid');
  if (isNothing(money)) return personFact(happened, reading, { who, note, else: 'no-money' });
  if (!charge) return personFact(happened, reading, { who, note, else: 'no-charge' });
  const paidAt = instantOf(objectOf(invoice.status_transitions)?.paid_at);
  const sale = saleOf(happened, reading, {
    charge,
    who,
    money,
    occurredAt: paidAt ?? occurredAt,
    occurredAtGiven: false,
  });
  return {
    ...sale,
    kind: 'invoice',
    paymentIntent: idOf(invoice.payment_intent),
    invoice: ids.invoice,
    note,
  };
}

/** A completed checkout: it names the payment intent and not the charge, and often alone knows who brought the customer. */
export function sessionFact(happened: Happened, reading: StripeReading): StripeFact {
  const { object: session } = happened;
  const who = attributionOf(session, session.payment_intent, session.subscription, session.customer);
  const payments = [idOf(session.payment_intent)].filter((id) => id !== undefined);
  const ids = { invoice: idOf(session.invoice), subscription: idOf(session.subscription) };
  const note = { ...who, payments, ...ids };
  return personFact(happened, reading, { who, note, else: 'no-charge' });
}

/** Which payment paid which invoice: since 2025-03-31 nothing else says so. */
export function invoicePaymentFact({ object }: Happened): StripeFact {
  const payment = objectOf(object.payment);
  const payments = [idOf(payment?.payment_intent), idOf(payment?.charge)].filter((id) => id !== undefined);
  return { kind: 'ignored', why: 'no-charge', note: { payments, invoice: idOf(object.invoice) } };
}

/** What an event that moves no money says about who brought a customer, or that it says nothing of the kind. */
export function personFact(
  { n, line, id, type, occurredAt }: Happened,
  { idPrefix }: StripeReading,
  said: {
    who: ReturnType<typeof attributionOf>;
    note?: NonNullable<SaleFact['note']>;
    else: 'no-money' | 'no-charge' | 'unattributed';
  },
): StripeFact {
  const { who } = said;
  const note = said.note && { note: said.note };
  const tells = who.affiliate !== undefined && (who.customerId ?? who.clickId) !== undefined;
  if (!tells) return { kind: 'ignored', why: said.else, ...note };
  const event = { n, line, eventType: 'lead' as const, eventName: type, externalId: idPrefix + id };
  return { kind: 'person', event: { ...event, ...who, occurredAt, occurredAtGiven: true }, ...note };
}

/** An amount of Stripe's, in minor units, or what is wrong with it. */
export function moneyOf(amount: unknown, currency: unknown, field: string): Money {
  const code = textOf(currency)?.toUpperCase() ?? '';
  if (!isOrWasCurrency(code)) return { fault: { code: 'currency-unknown', field: 'currency', found: code } };
  const minor = minorUnits(amount, code);
  if (typeof minor === 'string') return { fault: { code: minor, field, found: `${amount} ${code}` } };
  return { amount: minor, currency: code };
}

function isNothing(money: Money): boolean {
  return 'amount' in money && money.amount === 0n;
}

function saleOf(
  { n, line, occurredAt }: Happened,
  { idPrefix, program, rates }: StripeReading,
  said: {
    charge: string | undefined;
    who: ReturnType<typeof attributionOf>;
    money: Money;
    occurredAt: string | undefined;
    occurredAtGiven: boolean;
  },
): Pick<SaleFact, 'sale' | 'charge'> {
  const { charge = '', who, money } = said;
  const sale: StagedSale = { n, line, ...who, externalId: idPrefix + charge, salesStatus: 'complete' };
  sale.occurredAt = said.occurredAt ?? occurredAt;
  sale.occurredAtGiven = said.occurredAtGiven && said.occurredAt !== undefined;
  sale.eventType = 'conversion';
  const fault =
    idFault(charge) ??
    ('fault' in money ? money.fault : setExchange(Object.assign(sale, money), program, rates));
  if (fault) Object.assign(sale, { fault: fault.code, faultField: fault.field, faultFound: fault.found });
  return { sale, charge };
}

function idFault(charge: string): RowFault | undefined {
  if (charge === '') return { code: 'required', field: 'id', found: '' };
  return charge.length > 255 ? { code: 'too-long', field: 'id', found: '' } : undefined;
}
