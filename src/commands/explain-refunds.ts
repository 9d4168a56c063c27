import { showId } from '../ids.ts';
import type { SaleStory } from '../ledger/explain/sale.ts';
import { givenId } from '../ledger/take-back.ts';
import { formatAmount, showAmount } from '../money.ts';
import { showInstant } from '../time.ts';
import { words } from './render.ts';

/** What was refunded of a sale, and what that took back of its commission, a sentence each. */
export function refundTexts({ refunds, waiting, program }: SaleStory): string[] {
  const told = refunds.map(({ refund, reversal, payout }) => {
    const when = showInstant(refund.occurred_at, program.timezone);
    const size = refund.amount < 0n ? -refund.amount : refund.amount;
    const back = refund.amount < 0n ? ' came back' : '';
    const what = `${when}: ${showAmount(size, refund.currency)}${back} by ${givenId(refund.external_id)}`;
    if (refund.taken_back) return `${what}; it counts no more, because ${refund.taken_back}.`;
    if (!reversal) return `${what}; it ${back === '' ? 'took' : 'gave back'} nothing of a commission.`;
    const taken = `${showAmount(reversal.amount < 0n ? -reversal.amount : reversal.amount, reversal.currency)} of the commission`;
    const where = payout
      ? `in the payout ${payout.reference}, which is ${payout.status}`
      : words(reversal.status);
    return `${what}; it ${reversal.amount < 0n ? 'takes' : 'gives'} back ${taken} (${showId('commission', reversal.id)}, ${where}).`;
  });
  const refused = waiting.map(
    (one) =>
      `${one.external_id} of ${showAmount(one.amount, one.currency)} is not booked, because it does not fit the sale${one.code ? ` (${one.code})` : ''}; it is tried again after every import.`,
  );
  return [...told, ...refused];
}

/** The disputes of a sale, a sentence each. */
export function disputeTexts({ disputes, program }: SaleStory): string[] {
  return disputes.map(({ external_id: id, amount, currency, status, opened_at, closed_at }) => {
    const at = (instant: Date | null) =>
      instant ? showInstant(instant, program.timezone) : 'an unknown moment';
    const what = `${id} of ${showAmount(amount, currency)}`;
    if (status === 'open')
      return `${what} is open since ${at(opened_at)}: the commission is neither released nor paid until it ends.`;
    if (status === 'withdrawn')
      return `${givenId(id)} of ${showAmount(amount, currency)} counts no more: it was taken back.`;
    if (status === 'won') return `${what} was won on ${at(closed_at)}; it stands in the way no more.`;
    return `${what} was lost on ${at(closed_at)}, which counts as a refund.`;
  });
}

/** Both for programs. */
export function refundData({ refunds, disputes }: SaleStory) {
  return {
    refunds: refunds.map(({ refund, reversal, payout }) => ({
      external_id: givenId(refund.external_id),
      taken_back: refund.taken_back,
      amount: formatAmount(refund.amount, refund.currency),
      currency: refund.currency,
      occurred_at: refund.occurred_at,
      commission: reversal
        ? {
            commission: showId('commission', reversal.id),
            amount: formatAmount(reversal.amount, reversal.currency),
            currency: reversal.currency,
            status: reversal.status,
            payout_reference: payout?.reference ?? null,
          }
        : null,
    })),
    disputes: disputes.map(({ external_id, amount, currency, status, opened_at, closed_at }) => ({
      external_id,
      amount: formatAmount(amount, currency),
      currency,
      status,
      opened_at,
      closed_at,
    })),
  };
}
