import type { Selectable } from 'kysely';
import type {
  AffiliateRow,
  LeftOutReason,
  PayoutBatchRow,
  PayoutMethod,
  ProgramRow,
  RunRow,
} from '../db/tables.ts';
import { showId } from '../ids.ts';
import { consentOf, stillNeeded } from '../ledger/consent.ts';
import { showAmount } from '../money.ts';
import { localDay, showInstant } from '../time.ts';
import type { Paint } from './render.ts';

/** What there is to say about one thing. */
export interface Explanation {
  title(paint: Paint): string;
  /** Headings with what stands under them, as finished lines. */
  parts: { heading: string; lines(paint: Paint): string }[];
  /** The facts, for programs. */
  data: Record<string, unknown>;
}

/** `the run run_01… (release-holds, as of 2026-03-01 02:00 Europe/Berlin)`. */
export function runText(run: Selectable<RunRow> | undefined, zone: string): string {
  if (!run) return 'an unknown run';
  return `the run ${showId('run', run.id)} (${run.job}, as of ${showInstant(run.as_of, zone)})`;
}

/** The days of a batch's period, both included: `2026-02-01 to 2026-02-28`. */
export function periodText(batch: Pick<PayoutBatchRow, 'period_start' | 'period_end'>, zone: string): string {
  const last = new Date(batch.period_end.getTime() - 1);
  return `${localDay(batch.period_start, zone)} to ${localDay(last, zone)}`;
}

/** Why somebody was not paid, as a sentence without its end; `amount` in minor units. */
export function leftOutText(
  { reason, amount, currency }: { reason: LeftOutReason; amount: bigint; currency: string },
  program: ProgramRow,
): string {
  const balance = showAmount(amount, currency);
  const sentences: Record<LeftOutReason, string> = {
    not_positive: `the balance of ${balance} was nothing to pay out`,
    under_minimum: `the balance of ${balance} was under the minimum of ${showAmount(program.minimum_payout, program.currency)}`,
    no_destination: 'the affiliate has no payout method or destination',
    banned: 'the affiliate was banned',
    paused: 'the affiliate was paused',
    pending: 'the affiliate was not active yet',
    under_one_unit: `the balance of ${balance} was less than one ${currency}, and ${currency} is paid in whole units only`,
    currency_not_carried: `the affiliate's payout method does not carry ${currency}`,
  };
  return sentences[reason];
}

/** When a programme pays: `each month when it has closed, and 5 days have passed`. */
export function scheduleText(program: ProgramRow): string {
  const period = { week: 'week', half_month: 'half month', month: 'month' }[program.payout_every];
  const wait = program.payout_net_days === 0 ? '' : ` and ${program.payout_net_days} days have passed`;
  return `each ${period} once it has closed${wait}`;
}

/** What still has to happen to a payout in this state; undefined when nothing. */
export function payoutNext(
  payout: { status: string; method: PayoutMethod; reference: string },
  batch: Selectable<PayoutBatchRow>,
  program: ProgramRow,
  affiliate: Pick<AffiliateRow, 'status'>,
): string | undefined {
  const isHere = payout.status === 'draft' || payout.status === 'approved';
  if (isHere && affiliate.status !== 'active')
    return `The affiliate, now ${affiliate.status}, becomes active; otherwise the payout does not leave with its batch, and its commissions are ready again.`;
  if (payout.status === 'draft') {
    const who = stillNeeded(consentOf(batch, program.payout_approval)) ?? 'one person';
    return `Its batch is approved, for which ${who} must say yes: payrun payouts approve ${showId('batch', batch.id)} --by <name>.`;
  }
  if (payout.status === 'approved') return 'Its batch is exported: payrun payouts export.';
  if (payout.status === 'exported')
    return `The provider pays it, and it is marked: payrun payouts mark-paid ${payout.reference}; or, when it comes back, mark-failed or mark-returned.`;
  if (payout.status === 'failed' || payout.status === 'returned')
    return 'The next payout takes its commissions up: payrun payouts prepare.';
  return undefined;
}
