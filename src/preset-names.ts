/** The exports of shops and payment providers that Payrun knows how to read. */
export const presetNames = [
  'stripe_payments',
  'stripe_payments_classic',
  'stripe_balance_history',
  'paypal_activity',
  'paypal_activity_german',
  'shopify_orders',
  'gumroad_sales',
  'woocommerce_orders',
] as const;

export type PresetName = (typeof presetNames)[number];
