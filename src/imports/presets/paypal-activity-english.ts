import { paypalActivity } from './paypal-activity.ts';

/** PayPal's activity report in English; its dates have the day first or the month, as the account's country does. */
export const paypalActivityEnglish = paypalActivity('paypal_activity', 'PayPal activity (English)', {
  columns: {
    date: ['Date'],
    time: ['Time'],
    zone: ['TimeZone', 'Time Zone'],
    type: ['Type'],
    status: ['Status'],
    currency: ['Currency'],
    gross: ['Gross'],
    id: ['Transaction ID'],
    from: ['From Email Address'],
    shipping: ['Shipping and Handling Amount'],
    tax: ['Sales Tax'],
    custom: ['Custom Number'],
    invoice: ['Invoice Number'],
    reference: ['Reference Txn ID'],
    impact: ['Balance Impact'],
  },
  decimal: '.',
  isSale: /^(?!mass\s?pay).*\bpayment( received)?$/i,
  isRefund: /\brefund$/i,
  done: ['completed', 'refunded', 'partially refunded'],
});
