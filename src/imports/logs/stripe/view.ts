import type { StagedSale } from '../../../ledger/stage.ts';
import { exponentOf } from '../../../money.ts';
import { type PreviewRow, shownFault } from '../../preview-rows.ts';
import type { LogReading } from '../event-log.ts';
import { cellsOf, type FieldKeys } from '../log-cells.ts';
import type { LogView } from '../log-survey.ts';
import type { Ignored, StripeFact } from './fact.ts';
import { objectOf } from './object.ts';
import { paidBy } from './payment.ts';
import { isTranslated, stripeReader } from './translate.ts';

/** How logs of Stripe's events are looked at. */
export function stripeView({ program, settings, rates, receivedAt }: LogReading): LogView {
  const testEvents = settings.test_events === true;
  const read = stripeReader({ program, idPrefix: settings.id_prefix, rates, testEvents, receivedAt });
  return {
    typeOf: ({ type }) => String(type ?? 'no type'),
    reads: isTranslated,
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
    rowOf(line, type) {
      const fact = read(line);
      return fact.kind === 'ignored' && fact.why === 'type' ? undefined : rowOf(line, type, fact);
    },
  };
}

/** The events that tell of a charge's money: a charge that is paid at once has the first, one paid later the second. */
const paying = new Set<unknown>(['charge.succeeded', 'charge.captured']);

function rowOf({ line, text }: { line: number; text: string }, type: string, fact: StripeFact): PreviewRow {
  const said = saidBy(fact);
  const fault = shownFault(said ?? faultOf(fact));
  const sound = fault ? undefined : said;
  const { event = [], object } = keys[fact.kind === 'person' ? 'person' : formOf(type)];
  const [kind] = cellsOf(text, [], [['event_type', 'type']], undefined);
  const cells = [
    { column: 'type', raw: kind?.raw ?? '', field: 'event_type', understood: meaningOf(fact) },
    ...cellsOf(text, [], sound ? event : [], sound),
    ...cellsOf(text, ['data', 'object'], object, sound),
  ];
  return { line, cells, fault };
}

type Form = 'charge' | 'invoice' | 'person' | 'refund' | 'failure' | 'dispute';

/** What may hold the metadata that name a partner, before the key. */
const carriers = ['', 'payment_intent.', 'parent.subscription_details.', 'subscription_details.'];
const all = [...carriers, 'subscription.', 'customer.'];
const who: FieldKeys[] = [
  ['affiliate', ...all.map((carrier) => `${carrier}metadata.affiliate_id`)],
  ['click_id', ...all.map((carrier) => `${carrier}metadata.affiliate_session_id`)],
];
const customer: FieldKeys = ['customer_id', 'customer.id', 'customer'];
const currency: FieldKeys = ['currency', 'currency'];

/** Where the fields of what an event means stand: in the event itself, and in the object that it is about. */
const keys: Record<Form, { event?: FieldKeys[]; object: FieldKeys[] }> = {
  charge: {
    object: [
      ['external_id', 'id'],
      ...who,
      customer,
      ['amount', 'amount_captured', 'amount'],
      currency,
      ['occurred_at', 'created'],
    ],
  },
  invoice: {
    object: [
      ['external_id', 'charge.id', 'charge', 'payments.data.0.payment.charge'],
      ...who,
      customer,
      ['amount', 'amount_paid'],
      currency,
      ['occurred_at', 'status_transitions.paid_at'],
    ],
  },
  person: {
    event: [
      ['external_id', 'id'],
      ['occurred_at', 'created'],
    ],
    object: [...who, customer],
  },
  refund: {
    event: [['occurred_at', 'created']],
    object: [['refund_of', 'id'], ['refunded_total', 'amount_refunded'], currency],
  },
  failure: {
    event: [['occurred_at', 'created']],
    object: [['external_id', 'id'], ['refund_of', 'charge.id', 'charge'], ['amount', 'amount'], currency],
  },
  dispute: {
    object: [['external_id', 'id'], ['dispute_of', 'charge.id', 'charge'], ['amount', 'amount'], currency],
  },
};

function formOf(type: string): Form {
  if (type === 'charge.refunded') return 'refund';
  if (type.startsWith('charge.dispute.')) return 'dispute';
  if (type.startsWith('charge.refund.') || type.startsWith('refund.')) return 'failure';
  if (type.startsWith('charge.')) return 'charge';
  return type.startsWith('invoice.') ? 'invoice' : 'person';
}

/** What an event says, under the names of a sale's fields. */
function saidBy(fact: StripeFact): StagedSale | undefined {
  if ('sale' in fact) return fact.sale;
  if (fact.kind === 'person') return fact.event;
  if (fact.kind === 'refund') {
    const { amount, saleExternalId, ...refund } = fact.refund;
    return { ...refund, refundOf: saleExternalId, refundedTotal: amount };
  }
  if (fact.kind === 'failure') {
    const { saleExternalId, ...refund } = fact.refund;
    return { ...refund, refundOf: saleExternalId };
  }
  if (fact.kind !== 'dispute') return undefined;
  const { saleExternalId, ...dispute } = fact.dispute;
  return { ...dispute, refundOf: saleExternalId };
}

function faultOf(fact: StripeFact): Parameters<typeof shownFault>[0] {
  if (fact.kind !== 'fault') return {};
  const { code, field, found } = fact.fault;
  return { fault: code, faultField: field, faultFound: found };
}

const ignored: Record<Ignored, string> = {
  type: 'ignored',
  test: 'ignored: test mode',
  unattributed: 'ignored: names no partner',
  'no-money': 'ignored: no money moved',
  'no-charge': 'ignored: its charge is the sale',
};

/** In a few words, which a column of a terminal has room for. */
function meaningOf(fact: StripeFact): string {
  switch (fact.kind) {
    case 'charge':
      return 'conversion';
    case 'invoice':
      return 'conversion, if its charge is missing';
    case 'person':
      return fact.event.eventType;
    case 'dispute':
      return `dispute ${fact.dispute.state}`;
    case 'ignored':
      return ignored[fact.why];
    case 'refund':
      return 'refund';
    case 'failure':
      return 'refund that failed';
    case 'fault':
      return '';
  }
}
