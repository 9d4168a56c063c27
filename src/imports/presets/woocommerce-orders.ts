import { agreesWith, onlyCurrencyOf } from '../values/currency-signs.ts';
import { amountParts } from '../values/numbers.ts';
import type { Preset, PresetReader } from './shape.ts';

const sold = new Set(['completed', 'processing', 'refunded']);

/**
 * WooCommerce's orders, as its analytics export them. Sold are completed and processing orders, which are paid;
 * pending, failed and cancelled ones and those on hold are ignored. The commission's base is the net sales: without tax
 * and shipping; a refunded order is refunded in full, and partial refunds do not stand in this export. The currency stands only in the sign of the formatted revenue: one that several currencies share means
 * the programme's if that is among them, else the source has to give a default. Times are those of the shop: the
 * source's zone, else the programme's. A partner is found by a coupon that is an affiliate's name; there is neither an
 * affiliate nor an e-mail address. Order numbers are small and those of other shops or invoices may be the same, so they
 * get the prefix `woocommerce:`. Products are known by their names.
 */
export const woocommerceOrders: Preset = {
  name: 'woocommerce_orders',
  title: 'WooCommerce orders',
  headers: ['Date', 'Order #', 'Status', 'Customer type', 'Coupon(s)', ['Net Sales', 'N. Revenue']],
  mapping: { external_id: 'Order #', amount: ['Net Sales', 'N. Revenue'], occurred_at: 'Date' },
  makes: ['affiliate', 'currency', 'product_ids', 'refunded_total'],
  idPrefix: 'woocommerce:',
  reader({ column, currency }): PresetReader {
    const status = column('Status');
    const formatted = column('N. Revenue (formatted)');
    const products = column('Product(s)');
    const coupons = column('Coupon(s)');
    const net = column('Net Sales', 'N. Revenue');
    return {
      read(cells) {
        const state = status(cells).toLowerCase();
        if (!sold.has(state)) return undefined;
        return [
          '',
          currencyOf(formatted(cells), currency),
          productsOf(products(cells)),
          state === 'refunded' ? net(cells) : '',
        ];
      },
      hints: (cells) => coupons(cells).split(','),
    };
  },
};

/** The currency of a text such as `$1,234.50` or `1.234,50 €`, or empty where it can't be told. */
function currencyOf(text: string, program: string): string {
  const sign = amountParts(text)?.marker ?? '';
  if (agreesWith(sign, program)) return program;
  return onlyCurrencyOf(sign) ?? '';
}

/** Names of `2× Mug, 1× Tee, red`: a comma in front of a quantity parts them. */
function productsOf(text: string): string {
  return text
    .split(/, (?=\d+× )/)
    .map((one) => one.replace(/^\d+× /, '').replace(/[;|]/g, ' '))
    .join(';');
}
