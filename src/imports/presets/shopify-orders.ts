import { refundedPart } from './amount.ts';
import type { Column, Preset, PresetReader } from './shape.ts';

const sold = new Set(['paid', 'partially_refunded', 'refunded']);

/**
 * Shopify's orders. An order takes a line for each of its products, and what is said of the order stands on the first
 * one; lines of the same `Name` without a total go on with it. Sold are orders that are paid or were refunded; pending,
 * authorised, partly paid, voided and expired ones are ignored until a later export has them as paid. The commission's
 * base is the subtotal: after discounts, without shipping and added taxes; of a refund, the same part of the subtotal as
 * of the total. Products are known by SKU, else by name.
 * A partner stands in the note attribute `affiliate_id` or `affiliate`; else the attribute `ref` or a discount code
 * counts where it is an affiliate's name, else the customer's e-mail. The `Id` is unique among all shops and needs no
 * prefix; the `Name` (#1001), which is not, is kept as the note.
 */
export const shopifyOrders: Preset = {
  name: 'shopify_orders',
  title: 'Shopify orders',
  headers: [
    'Name',
    'Financial Status',
    'Currency',
    'Subtotal',
    'Total',
    'Created at',
    'Lineitem name',
    'Refunded Amount',
    'Id',
  ],
  mapping: {
    external_id: 'Id',
    amount: 'Subtotal',
    currency: 'Currency',
    occurred_at: 'Created at',
    customer_email: 'Email',
    note: 'Name',
  },
  makes: ['affiliate', 'product_ids', 'refunded_total'],
  reader({ column }): PresetReader {
    const name = column('Name');
    const total = column('Total');
    const status = column('Financial Status');
    const subtotal = column('Subtotal');
    const refunded = column('Refunded Amount');
    const currency = column('Currency');
    const attributes = column('Note Attributes');
    const codes = column('Discount Code');
    const goesOnWith: Column = (cells) => (total(cells) === '' ? name(cells) : '');
    return {
      read(cells) {
        if (!sold.has(status(cells).toLowerCase())) return undefined;
        const affiliate = attribute(attributes(cells), 'affiliate_id', 'affiliate');
        return [affiliate, '', refundedPart(subtotal(cells), refunded(cells), total(cells), currency(cells))];
      },
      hints: (cells) => [attribute(attributes(cells), 'ref'), ...codes(cells).split(',')],
      lines: {
        goesOnWith,
        continues: (first, cells) => goesOnWith(cells) !== '' && name(cells) === name(first),
        product: productOf(column('Lineitem sku'), column('Lineitem name')),
      },
    };
  },
};

function productOf(sku: Column, name: Column): Column {
  return (cells) => sku(cells) || name(cells);
}

/** The value of the first of `keys` that stands among the attributes, one `key: value` a line. */
function attribute(attributes: string, ...keys: string[]): string {
  if (attributes === '') return '';
  for (const key of keys) {
    const line = attributes.split('\n').find((one) => one.toLowerCase().startsWith(`${key}:`));
    const value = line?.slice(key.length + 1).trim();
    if (value) return value;
  }
  return '';
}
