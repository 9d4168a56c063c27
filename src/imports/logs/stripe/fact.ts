import type { ProgramRow } from '../../../db/tables.ts';
import type { StagedDispute } from '../../../ledger/dispute.ts';
import type { StagedEvent } from '../../../ledger/events.ts';
import type { StagedRefund } from '../../../ledger/reverse.ts';
import type { StagedSale } from '../../../ledger/stage.ts';
import type { RowFault } from '../../faults.ts';
import type { Rates } from '../../rates.ts';
import type { Terms } from './invoice.ts';
import type { Attribution, StripeObject } from './object.ts';

export interface StripeReading {
  program: Pick<ProgramRow, 'currency' | 'timezone'>;
  idPrefix: string;
  rates: Rates;
  /** When the log was received: nothing has happened long after it. */
  receivedAt: Date;
  /** Take events of Stripe's test mode as well. */
  testEvents: boolean;
}

/** One event, with the object that it is about as it was then. */
export interface Happened {
  n: number;
  line: number;
  id: string;
  type: string;
  /** ISO 8601. */
  occurredAt: string;
  object: StripeObject;
}

/** What one event of Stripe's means here. */
export type StripeFact =
  | SaleFact
  /** It tells who brought a customer, or that a customer left. */
  | { kind: 'person'; event: StagedEvent; note?: Note }
  | { kind: 'refund'; refund: StripeRefund }
  /** A refund that failed or was canceled. */
  | { kind: 'failure'; refund: StagedRefund }
  | { kind: 'dispute'; dispute: StagedDispute }
  | { kind: 'fault'; fault: RowFault }
  | { kind: 'ignored'; why: Ignored; note?: Note };

/** A payment. `charge` comes from a charge itself; `invoice` from an invoice that names its charge. */
export interface SaleFact {
  kind: 'charge' | 'invoice';
  /** Its external id is the charge's; with a fault, where only the money can't be read. */
  sale: StagedSale;
  charge: string;
  paymentIntent: string | undefined;
  invoice: string | undefined;
  note?: Note;
}

/** What an event says about payments that other events record, which are found by payment or by invoice. */
export interface Note extends Attribution, Terms {
  /** Charges and payment intents. */
  payments: string[];
  invoice: string | undefined;
  subscription?: string | undefined;
}

export type Ignored =
  | 'type'
  | 'test'
  /** Nothing in it says that a partner had a part in it. */
  | 'unattributed'
  /** No money moved: not captured, not paid, or an amount of zero. */
  | 'no-money'
  /** A payment that does not name its charge. */
  | 'no-charge';

/**
 * The state of a charge's refunds after one more of them. Its id is `<charge>#refunded:<sum so far>@<moment>`, since not
 * every API version lists the refunds, and a sum that fell may come again.
 */
export interface StripeRefund extends StagedRefund {
  /** Who brought the customer of the charge, so that refunds of sales without a partner can be told from early ones. */
  attribution: Attribution;
}
