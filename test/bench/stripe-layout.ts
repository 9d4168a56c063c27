import type { Sale } from './sales.ts';
import { chargeId, type Layout } from './sales-layouts.ts';

/** Stripe's events: charges whose metadata name the affiliate, about 2 KB each, most of which says nothing here. */
export const stripeLog: Layout = {
  header: '',
  lineOf: (sale) => `${JSON.stringify(eventOf(sale))}\n`,
};

const address = { city: null, country: 'US', line1: null, line2: null, postal_code: '02134', state: null };

function eventOf(sale: Sale) {
  const created = sale.at.getTime() / 1_000;
  return {
    id: `evt_3Bench${sale.number}Payrun`,
    object: 'event',
    api_version: '2024-06-20',
    created,
    data: { object: chargeOf(sale, created) },
    livemode: true,
    pending_webhooks: 1,
    request: { id: `req_${sale.number}`, idempotency_key: `7143a956-2f40-407a-b312-0000${sale.number}` },
    type: 'charge.succeeded',
  };
}

function chargeOf(sale: Sale, created: number) {
  return {
    id: chargeId(sale),
    object: 'charge',
    amount: sale.cents,
    amount_captured: sale.cents,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: `txn_3Bench${sale.number}Payrun`,
    billing_details: { address, email: 'customer@example.com', name: 'Ann Example', phone: null },
    calculated_statement_descriptor: 'ACME INC',
    captured: true,
    created,
    currency: 'usd',
    customer: sale.customer,
    description: 'Subscription update',
    destination: null,
    dispute: null,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    invoice: `in_1Bench${sale.number}Payrun`,
    livemode: true,
    metadata: { affiliate_id: sale.affiliate, affiliate_session_id: `clk_${sale.customer}` },
    on_behalf_of: null,
    order: null,
    outcome: {
      network_status: 'approved_by_network',
      reason: null,
      risk_level: 'normal',
      risk_score: 12,
      seller_message: 'Payment complete.',
      type: 'authorized',
    },
    paid: true,
    payment_intent: `pi_3Bench${sale.number}Payrun`,
    payment_method: `pm_1Bench${sale.number}Payrun`,
    payment_method_details: paymentMethod,
    receipt_email: null,
    receipt_number: null,
    receipt_url: `https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8xQmVuY2g${sale.number}`,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'succeeded',
    transfer_data: null,
    transfer_group: null,
  };
}

const paymentMethod = {
  card: {
    amount_authorized: null,
    brand: 'visa',
    checks: { address_line1_check: null, address_postal_code_check: 'pass', cvc_check: null },
    country: 'US',
    exp_month: 3,
    exp_year: 2027,
    fingerprint: 'ZoVSX2dK5igWt2SB',
    funding: 'credit',
    installments: null,
    last4: '4242',
    mandate: null,
    network: 'visa',
    network_token: { used: false },
    overcapture: { maximum_amount_capturable: null, status: 'unavailable' },
    three_d_secure: null,
    wallet: null,
  },
  type: 'card',
};
