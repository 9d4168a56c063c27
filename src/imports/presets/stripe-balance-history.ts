import type { Preset, PresetReader } from './shape.ts';

const sales = new Set(['charge', 'payment']);
const refunds = new Set(['refund', 'payment_refund']);
const payment = /\b(?:ch|py)_\w+/;

/**
 * Stripe's balance history. Its sales are the rows of type `charge` and `payment`; transfers, payouts, fees and
 * adjustments, among them disputes, are ignored. A sale's id is that of its payment (`Source`: `ch_…`, `py_…`), the same
 * as in an export of payments, and its amount what the customer paid, where the export tells. The partner stands in the
 * metadata `affiliate_id`; there is no customer. A refund counts where its source or description names the payment, as in
 * older exports; take others from the export of payments, which says how much of each was refunded.
 */
export const stripeBalanceHistory: Preset = {
  name: 'stripe_balance_history',
  title: 'Stripe balance history',
  headers: [
    'id',
    'Type',
    'Source',
    'Amount',
    'Fee',
    'Net',
    'Currency',
    'Created (UTC)',
    'Available On (UTC)',
  ],
  mapping: { affiliate: 'affiliate_id (metadata)', occurred_at: 'Created (UTC)', note: 'Description' },
  makes: ['external_id', 'amount', 'currency', 'refund_of'],
  timezone: 'UTC',
  reader({ column }): PresetReader {
    const id = column('id');
    const type = column('Type');
    const source = column('Source');
    const description = column('Description');
    const settled = { amount: column('Amount'), currency: column('Currency') };
    const paid = { amount: column('Customer Facing Amount'), currency: column('Customer Facing Currency') };
    return {
      read(cells) {
        const isRefund = refunds.has(type(cells));
        if (!isRefund && !sales.has(type(cells))) return undefined;
        const sale = isRefund ? payment.exec(`${source(cells)} ${description(cells)}`)?.[0] : '';
        if (sale === undefined) return undefined;
        const { amount, currency } = paid.amount(cells) && paid.currency(cells) ? paid : settled;
        // The source of a refund in older exports is the payment, so that the refund goes by the row's own id.
        const ownId = source(cells) === sale ? id(cells) : source(cells);
        return [ownId, amount(cells), currency(cells), sale];
      },
    };
  },
};
