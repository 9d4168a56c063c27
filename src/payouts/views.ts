import { z } from 'zod';
import { showId } from '../ids.ts';
import { formatAmount } from '../money.ts';
import type { BatchSummary } from './list.ts';
import type { Payee } from './payees.ts';

/** A payout batch as programs read it: by --json, by the API and in reports; `amount` is an exact decimal. */
export const batchView = z.object({
  batch: z.string(),
  program: z.string(),
  period: z.string(),
  method: z.enum(['paypal', 'wise', 'sepa', 'ach', 'manual']),
  status: z.enum(['draft', 'approved', 'exported', 'settled', 'canceled']),
  payouts: z.number(),
  amount: z.string(),
  currency: z.string(),
  prepared_by: z.string(),
  prepared_at: z.date(),
  approved_by: z.string().nullable(),
  said_yes: z.array(z.string()),
  still_needed: z.string().nullable(),
  exported_at: z.date().nullable(),
  files: z.array(z.string()),
});

export function viewBatch(batch: BatchSummary): z.infer<typeof batchView> {
  return {
    batch: showId('batch', batch.batchId),
    program: batch.program,
    period: batch.period,
    method: batch.method,
    status: batch.status,
    payouts: batch.payouts,
    amount: formatAmount(batch.amount, batch.currency),
    currency: batch.currency,
    prepared_by: batch.preparedBy,
    prepared_at: batch.preparedAt,
    approved_by: batch.approvedBy,
    said_yes: batch.saidYes,
    still_needed: batch.stillNeeded ?? null,
    exported_at: batch.exportedAt,
    files: batch.files,
  };
}

/** A payout, likewise; without the payee's bank details. */
export const payoutView = z.object({
  payout: z.string(),
  batch: z.string(),
  reference: z.string(),
  affiliate: z.string(),
  name: z.string(),
  method: batchView.shape.method,
  amount: z.string(),
  currency: z.string(),
  commissions: z.number(),
  status: z.enum(['draft', 'approved', 'exported', 'paid', 'failed', 'returned', 'canceled']),
  provider_reference: z.string().nullable(),
  reason: z.string().nullable(),
});

export function viewPayout(payout: Payee): z.infer<typeof payoutView> {
  return {
    payout: showId('payout', payout.payoutId),
    batch: showId('batch', payout.batchId),
    reference: payout.reference,
    affiliate: payout.affiliate,
    name: payout.name,
    method: payout.method,
    amount: formatAmount(payout.amount, payout.currency),
    currency: payout.currency,
    commissions: payout.lines,
    status: payout.status,
    provider_reference: payout.providerReference,
    reason: payout.reason,
  };
}
