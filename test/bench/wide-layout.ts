import type { Sale } from './sales.ts';
import { type Layout, money } from './sales-layouts.ts';

/** The columns of a shop's export of orders, as wide as the widest that are common. */
const address = [
  'Name',
  'Street',
  'Address1',
  'Address2',
  'Company',
  'City',
  'Zip',
  'Province',
  'Country',
  'Phone',
];
const item = [
  'quantity',
  'name',
  'price',
  'compare at price',
  'sku',
  'requires shipping',
  'taxable',
  'fulfillment status',
];
const columns = [
  ...[
    'Name',
    'Email',
    'Financial Status',
    'Paid at',
    'Fulfillment Status',
    'Fulfilled at',
    'Accepts Marketing',
  ],
  ...['Currency', 'Subtotal', 'Shipping', 'Taxes', 'Total', 'Discount Code', 'Discount Amount'],
  ...['Shipping Method', 'Created at'],
  ...item.map((name) => `Lineitem ${name}`),
  ...address.map((name) => `Billing ${name}`),
  ...address.map((name) => `Shipping ${name}`),
  ...['Notes', 'Note Attributes', 'Cancelled at', 'Payment Method', 'Payment Reference', 'Refunded Amount'],
  ...[
    'Vendor',
    'Outstanding Balance',
    'Employee',
    'Location',
    'Device ID',
    'Id',
    'Tags',
    'Risk Level',
    'Source',
  ],
  'Lineitem discount',
  ...[1, 2, 3, 4, 5].flatMap((tax) => [`Tax ${tax} Name`, `Tax ${tax} Value`]),
  ...['Phone', 'Receipt Number', 'Duties', 'Billing Province Name', 'Shipping Province Name', 'Payment ID'],
  ...['Payment Terms Name', 'Next Payment Due At', 'Payment References'],
];

/** The few columns that a source takes from it. */
export const wideMapping = {
  external_id: 'Id',
  affiliate: 'Discount Code',
  amount: 'Subtotal',
  currency: 'Currency',
  occurred_at: 'Created at',
  product_ids: 'Lineitem sku',
  note: 'Name',
};

/** What stands in the other columns of each order, those that are not empty. */
const usual: Record<string, string> = {
  Email: 'customer@example.com',
  'Financial Status': 'paid',
  'Fulfillment Status': 'fulfilled',
  'Accepts Marketing': 'yes',
  Currency: 'USD',
  Shipping: '5.00',
  Taxes: '0.00',
  'Discount Amount': '3.33',
  'Shipping Method': 'Standard',
  'Lineitem quantity': '1',
  'Lineitem name': '"Crew Tee, black / S"',
  'Lineitem requires shipping': 'true',
  'Lineitem taxable': 'true',
  'Lineitem fulfillment status': 'fulfilled',
  'Billing Name': 'Ann Example',
  'Billing Street': '"1 Main Street, Apt 2"',
  'Billing City': 'Boston',
  'Billing Zip': "'02134",
  'Billing Province': 'MA',
  'Billing Country': 'US',
  'Shipping Name': 'Ann Example',
  'Shipping Street': '"1 Main Street, Apt 2"',
  'Shipping City': 'Boston',
  'Shipping Zip': "'02134",
  'Shipping Province': 'MA',
  'Shipping Country': 'US',
  'Payment Method': 'Shopify Payments',
  'Refunded Amount': '0.00',
  Vendor: 'Acme',
  'Outstanding Balance': '0.00',
  'Risk Level': 'Low',
  Source: 'web',
};

/** The orders of a shop: 79 columns, of which seven are read. */
export const wide: Layout = {
  header: `${columns.join(',')}\n`,
  lineOf(sale) {
    const own = ownCells(sale);
    return `${columns.map((name) => own[name] ?? usual[name] ?? '').join(',')}\n`;
  },
};

function ownCells(sale: Sale): Record<string, string> {
  const at = `${sale.at.toISOString().slice(0, 19).replace('T', ' ')} +0000`;
  const amount = money(sale);
  return {
    Id: `55512${sale.number}`,
    Name: `#${sale.number}`,
    Subtotal: amount,
    Total: amount,
    'Lineitem price': amount,
    'Lineitem sku': sale.product,
    'Discount Code': sale.affiliate,
    'Created at': at,
    'Paid at': at,
  };
}
