import type { PresetName } from '../../preset-names.ts';
import type { Preset, PresetReader } from './shape.ts';

/** What a payment's status says of the sale; one that is not here is left to a person. */
const statuses: Record<string, 'complete' | 'none'> = {
  paid: 'complete',
  succeeded: 'complete',
  refunded: 'complete',
  'partially refunded': 'complete',
  failed: 'none',
  pending: 'none',
  uncaptured: 'none',
  canceled: 'none',
  cancelled: 'none',
  blocked: 'none',
  incomplete: 'none',
  expired: 'none',
};

/**
 * Stripe's payments since about 2022, whose user chooses the columns; the time is in `Created date (UTC)`. The partner
 * stands in the payment's metadata `affiliate_id`; without it the customer's affiliate counts, by id or e-mail. Failed,
 * pending, uncaptured and test payments are ignored: a later export has them as paid. Amounts are those of the
 * customer's currency, with tax, because the export has no amount without; what was refunded is the cumulative
 * `Amount Refunded`, and disputes are not read. Ids (`ch_…`, `py_…`) need no prefix.
 */
export const stripePayments = paymentsOf(
  'stripe_payments',
  'Stripe payments (with a choice of columns)',
  'Created date (UTC)',
);

/** The preset for payments whose time is in the column `created`. */
export function paymentsOf(name: PresetName, title: string, created: string): Preset {
  return {
    name,
    title,
    headers: ['id', created, 'Amount', 'Amount Refunded', 'Currency', 'Status'],
    mapping: {
      external_id: 'id',
      affiliate: 'affiliate_id (metadata)',
      amount: 'Amount',
      currency: 'Currency',
      occurred_at: created,
      customer_id: 'Customer ID',
      customer_email: 'Customer Email',
      note: 'Description',
      refunded_total: 'Amount Refunded',
    },
    makes: ['sales_status'],
    timezone: 'UTC',
    reader({ column }): PresetReader {
      const status = column('Status');
      const captured = column('Captured');
      const mode = column('Mode');
      return {
        read(cells) {
          const stated = status(cells).toLowerCase();
          const sale = statuses[stated] ?? stated;
          if (sale === 'none' || captured(cells) === 'false' || mode(cells).toLowerCase() === 'test')
            return undefined;
          return [sale];
        },
      };
    },
  };
}
