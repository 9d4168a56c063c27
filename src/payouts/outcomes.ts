import type { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import type { Answered } from '../ledger/settle.ts';
import type { Unclaimed } from '../ledger/unclaim.ts';
import { formatAmount } from '../money.ts';
import type { Outcome } from '../runs/work.ts';
import type { BatchExport } from './export.ts';
import type { BatchDetails } from './list.ts';
import type { Marked } from './mark.ts';
import { type RefusedOfBatch, refusedReport } from './refused.ts';

export interface FailedExport {
  batchId: string;
  fault: PayrunError;
}

/** What an export did: the batches, their files, what was refused and what failed. */
export function exportOutcome(done: BatchExport[], failed: FailedExport[]): Outcome {
  const exported = done.filter((one) => one.done === 'exported');
  const refused = done.flatMap(refusalsOf);
  return {
    counts: {
      exported_batches: exported.length,
      exported_payouts: sum(exported, (one) => one.rows),
      rebuilt_batches: done.filter((one) => one.done === 'rebuilt').length,
      refused_payouts: sum(refused, (one) => one.references.length),
      files_written: sum(done, (one) => one.files.filter((file) => file.written).length),
      failed_batches: failed.length,
    },
    totals: totalsOf({ exported, refused }),
    report: {
      batches: done.map(({ batchId, done, format, rows, amount, currency }) => ({
        batch: showId('batch', batchId),
        done,
        format,
        rows,
        amount: formatAmount(amount, currency),
        currency,
      })),
      files: done.flatMap(({ files }) =>
        files.map(({ name, sha256, written }) => ({
          file: `outbox/${name}`,
          state: written ? 'written' : 'already there, same bytes',
          sha256,
        })),
      ),
      ...refusedReport(done),
      failed: failed.map(({ batchId, fault }) => ({
        batch: showId('batch', batchId),
        code: fault.code,
        message: fault.message,
        todo: fault.todo,
      })),
    },
    ...(failed[0] ? { exitCode: 1, message: failed[0].fault.message } : refused[0] ? { exitCode: 3 } : {}),
  };
}

/**
 * What an approval did: a batch for which somebody else must say yes as well stays a draft; one of which nobody may be
 * paid is canceled instead.
 */
export function approveOutcome(batch: BatchDetails, told: RefusedOfBatch): Outcome {
  const refused = refusalsOf(told);
  return {
    counts: {
      approved_batches: batch.status === 'approved' ? 1 : 0,
      payouts: batch.payouts,
      refused_payouts: sum(refused, (one) => one.references.length),
    },
    totals: totalsOf({ [batch.status === 'draft' ? 'in_draft' : 'approved']: [batch], refused }),
    report: {
      batch: showId('batch', batch.batchId),
      status: batch.status,
      approved_by: batch.approvedBy,
      said_yes: batch.saidYes,
      still_needed: batch.stillNeeded ?? null,
      ...refusedReport([told]),
    },
    ...(refused[0] || batch.stillNeeded ? { exitCode: 3 } : {}),
  };
}

export function cancelOutcome(given: Unclaimed): Outcome {
  return {
    counts: { canceled_batches: 1, payouts: given.payouts, commissions: given.lines },
    totals: totalsOf({ ready_again: [given] }),
  };
}

/** What marking payouts did; what failed or was returned is ready again. */
export function markOutcome({ moved, unchanged, settledBatches, named }: Marked): Outcome {
  const of = (...outcomes: Answered[]) => moved.filter((one) => outcomes.includes(one.outcome));
  const back = of('failed', 'returned');
  return {
    counts: {
      paid: sum(of('paid'), (one) => one.payouts),
      failed: sum(of('failed'), (one) => one.payouts),
      returned: sum(of('returned'), (one) => one.payouts),
      unchanged,
      commissions: sum(moved, (one) => one.lines),
      settled_batches: settledBatches,
    },
    totals: totalsOf({ paid: of('paid'), ready_again: back }),
    report: {
      ...(back.length > 0
        ? {
            next: 'The next "payrun payouts prepare" takes up what is ready again; import the affiliates whose destination was wrong first.',
          }
        : {}),
      payouts: named.map(({ reference, affiliate, status, amount, currency, reason }) => ({
        payout: reference,
        affiliate,
        state: status,
        amount: formatAmount(amount, currency),
        currency,
        reason,
      })),
    },
  };
}

function refusalsOf({ currency, refused }: RefusedOfBatch) {
  return refused.map((refusal) => ({ ...refusal, currency }));
}

/** The sum of what each item counts. */
export function sum<T>(items: T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Named lists of amounts to sums by currency, as exact decimals; a currency that occurs has all the names. */
export function totalsOf(lists: Record<string, { currency: string; amount: bigint }[]>): Outcome['totals'] {
  const currencies = [...new Set(Object.values(lists).flatMap((list) => list.map((item) => item.currency)))];
  const sumIn = (currency: string, list: { currency: string; amount: bigint }[]) =>
    list.reduce((total, item) => (item.currency === currency ? total + item.amount : total), 0n);
  return Object.fromEntries(
    currencies
      .sort()
      .map((currency) => [
        currency,
        Object.fromEntries(
          Object.entries(lists).map(([name, list]) => [name, formatAmount(sumIn(currency, list), currency)]),
        ),
      ]),
  );
}
