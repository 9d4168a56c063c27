import type { HeldReason } from '../ledger/held.ts';
import { showCount } from '../money.ts';
import { localDay } from '../time.ts';
import { type Paint, paragraphs, plural, section, showDecimal, table } from './render.ts';

/** A line of `held` in the report of a run. */
export interface Held {
  reason: HeldReason;
  commissions: number;
  amount: string;
  currency: string;
  since: string;
}

const reasons: Record<HeldReason, string> = {
  open_dispute: 'the sale is disputed',
  sale_open: 'the sale is open',
  sale_trialing: 'the sale is a trial',
  affiliate_banned: 'the affiliate is banned',
  affiliate_paused: 'the affiliate is paused',
  affiliate_pending: 'the affiliate is not active yet',
};

/** What has ended its hold and does not move, a line a reason and currency. */
export function describeHeld(paint: Paint, held: Held[]): string {
  if (held.length === 0) return '';
  const count = held.reduce((sum, one) => sum + one.commissions, 0);
  const right = (title: string) => ({ title, align: 'right' as const });
  return section(paint, `Held, though the hold has ended: ${plural(count, 'commission')}`, (inner) =>
    paragraphs(
      table(
        inner,
        [{ title: 'because' }, right('commissions'), right('amount'), { title: 'since' }],
        held.map(({ reason, commissions, amount, currency, since }) => [
          heldText(reason),
          showCount(commissions),
          showDecimal(amount, currency),
          localDay(new Date(since), paint.zone),
        ]),
      ),
      paint.dim('payrun commissions list --held'),
    ),
  );
}

/** Why a commission is held, in words. */
export function heldText(reason: HeldReason): string {
  return reasons[reason];
}
