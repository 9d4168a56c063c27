import { refundedPart } from './amount.ts';
import type { Preset, PresetReader } from './shape.ts';

const intervals = new Set(['monthly', 'yearly']);

/**
 * Gumroad's sales, all in US dollars. The last row, `Totals`, is no sale; nor are free trials and authorisations of
 * pre-orders, which are charged later. The commission's base is the subtotal; of a
 * partial refund, the same part of it as of the price. A sale in dispute is open until the
 * dispute is won. A partner is found by the discount code, else by `?ref=` of the referrer, where that is an
 * affiliate's name, else by the customer's e-mail; the column `Affiliate` is not read, because Gumroad pays those
 * itself. A user's own fields stand behind Gumroad's columns and may repeat their names. Purchase ids need no prefix.
 */
export const gumroadSales: Preset = {
  name: 'gumroad_sales',
  title: 'Gumroad sales',
  headers: [
    'Purchase ID',
    'Purchase Time (UTC timezone)',
    'Subtotal ($)',
    'Sale Price ($)',
    'Fully Refunded?',
  ],
  mapping: {
    external_id: 'Purchase ID',
    amount: 'Subtotal ($)',
    customer_email: 'Purchase Email',
    product_ids: 'Product ID',
    note: 'Order Number',
  },
  makes: ['affiliate', 'occurred_at', 'sales_status', 'is_subscription', 'interval', 'refunded_total'],
  defaults: { currency: 'USD' },
  timezone: 'UTC',
  takesFirst: true,
  reader({ column }): PresetReader {
    const id = column('Purchase ID');
    const time = column('Purchase Time (UTC timezone)');
    const isTrial = column('Free trial purchase?');
    const isAuthorization = column('Pre-order authorization?');
    const isRefunded = column('Fully Refunded?');
    const refunded = column('Partial Refund ($)');
    const subtotal = column('Subtotal ($)');
    const price = column('Sale Price ($)');
    const isDisputed = column('Disputed?');
    const isWon = column('Dispute Won?');
    const recurrence = column('Recurrence');
    const code = column('Discount Code');
    const referrer = column('Referrer');
    return {
      read(cells) {
        if (id(cells) === 'Totals' || isTrial(cells) === '1' || isAuthorization(cells) === '1')
          return undefined;
        const isOpen = isDisputed(cells) === '1' && isWon(cells) !== '1';
        const rhythm = recurrence(cells).toLowerCase();
        return [
          '',
          time(cells).replace(/ UTC$/, 'Z'),
          isOpen ? 'open' : 'complete',
          rhythm === '' ? '' : 'true',
          intervals.has(rhythm) ? rhythm : '',
          isRefunded(cells) === '1'
            ? subtotal(cells)
            : refundedPart(subtotal(cells), refunded(cells), price(cells), 'USD'),
        ];
      },
      hints: (cells) => [code(cells), refOf(referrer(cells))],
    };
  },
};

function refOf(referrer: string): string {
  return (URL.canParse(referrer) && new URL(referrer).searchParams.get('ref')) || '';
}
