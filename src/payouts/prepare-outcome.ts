import type { Page } from '../db/pages.ts';
import { showId } from '../ids.ts';
import { formatAmount } from '../money.ts';
import type { Outcome } from '../runs/work.ts';
import { sum, totalsOf } from './outcomes.ts';
import type { Payee } from './payees.ts';
import type { Preparation } from './prepare.ts';
import { warningsOf } from './warn.ts';

/** What a preparation did, programme by programme: batches, and who must still say yes to them, who was left out and why, and who waits. */
export function prepareOutcome(
  prepared: Preparation[],
  payees: Page<Payee>,
  stillNeeded: Map<string, string | undefined>,
): Outcome & { report: object } {
  const batches = prepared.flatMap((one) => one.batches);
  const leftOut = prepared.flatMap((one) => one.leftOut);
  const waiting = prepared.flatMap((one) => one.waiting);
  const carried = prepared.flatMap((one) => one.carried);
  return {
    counts: {
      programs: prepared.length,
      batches: batches.length,
      payouts: sum(batches, (batch) => batch.affiliates),
      commissions: sum(batches, (batch) => batch.lines),
      left_out: sum(leftOut, (part) => part.affiliates),
      waiting: sum(waiting, (part) => part.affiliates),
    },
    totals: totalsOf({
      payouts: batches,
      left_out: leftOut,
      waiting,
      ...(carried.length > 0 ? { carried } : {}),
    }),
    report: {
      warnings: prepared.flatMap(warningsOf),
      periods: prepared.map(({ program, periodLabel, period }) => ({
        program,
        period: periodLabel,
        from: period.start.toISOString(),
        to: period.end.toISOString(),
      })),
      batches: prepared.flatMap(({ program, periodLabel, status, batches }) =>
        batches.map(({ batchId, currency, method, affiliates, lines, amount }) => ({
          program,
          period: periodLabel,
          batch: showId('batch', batchId),
          status,
          ...(stillNeeded.has(batchId) ? { still_needed: stillNeeded.get(batchId) } : {}),
          method,
          payouts: affiliates,
          commissions: lines,
          amount: formatAmount(amount, currency),
          currency,
        })),
      ),
      payees: payees.rows.map(({ affiliate, name, method, lines, amount, currency }) => ({
        affiliate,
        name,
        method,
        commissions: lines,
        amount: formatAmount(amount, currency),
        currency,
      })),
      ...(payees.next === null ? {} : { more_payees_after: payees.next }),
      left_out: prepared.flatMap(({ program, leftOut }) =>
        leftOut.map(({ reason, currency, affiliates, lines, amount }) => ({
          program,
          reason,
          affiliates,
          commissions: lines,
          amount: formatAmount(amount, currency),
          currency,
        })),
      ),
      left_out_affiliates: prepared.flatMap(({ program, named }) =>
        named.map(({ affiliate, reason, currency, amount }) => ({
          program,
          affiliate,
          reason,
          amount: formatAmount(amount, currency),
          currency,
        })),
      ),
      carried: prepared.flatMap(({ program, carried }) =>
        carried.map(({ method, currency, affiliates, amount }) => ({
          program,
          why: `${method} pays whole ${currency} only; the rest is ready for the next payout`,
          affiliates,
          amount: formatAmount(amount, currency),
          currency,
        })),
      ),
      waiting: prepared.flatMap(({ program, periodLabel, waiting }) =>
        waiting.map(({ currency, method, affiliates, lines, amount }) => ({
          program,
          why: `the batch of ${periodLabel} is made already`,
          method,
          affiliates,
          commissions: lines,
          amount: formatAmount(amount, currency),
          currency,
        })),
      ),
    },
  };
}
