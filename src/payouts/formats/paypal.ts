import { csv } from '../../csv.ts';
import { unitOf } from '../../ledger/rails.ts';
import { formatAmount } from '../../money.ts';
import { looksLikeFormula } from '../../spreadsheet.ts';
import { type PayoutLine, readPayoutLines } from '../lines.ts';
import type { Format } from './format.ts';

/**
 * The CSV that PayPal Payouts takes by upload (its page "use web UI", September 2026): no header; recipient, amount,
 * currency, our reference, note, wallet; UTF-8 without a mark, CRLF; at most 5,000 rows and one currency a file.
 */
export const paypal: Format<PayoutLine> = {
  name: 'paypal',
  methods: ['paypal'],
  extension: 'csv',
  maxRows: 5_000,
  read: readPayoutLines,
  refuse({ destination, amount, currency }) {
    // Altering the recipient would pay somebody else, and a spreadsheet would run it.
    if (looksLikeFormula(destination)) return 'the recipient has what a spreadsheet would run as a formula';
    if (amount % unitOf('paypal', currency) !== 0n)
      return `PayPal pays whole ${currency} only, and this amount has a fraction`;
    return undefined;
  },
  async *write(pages) {
    for await (const page of pages) yield csv(page.map(cellsOf), '\r\n');
  },
};

function cellsOf({ destination, amount, currency, reference }: PayoutLine): string[] {
  const unit = unitOf('paypal', currency);
  const text = unit > 1n ? (amount / unit).toString() : formatAmount(amount, currency);
  return [destination, text, currency, reference, `Commission payout ${reference}`, 'PAYPAL'];
}
