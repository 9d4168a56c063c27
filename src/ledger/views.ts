import { z } from 'zod';
import { showId } from '../ids.ts';
import { formatAmount } from '../money.ts';
import type { ListedAffiliate } from './affiliates.ts';
import type { ConflictSummary } from './conflicts.ts';

/** A conflict as programs read it: by --json, by the API and in reports. */
export const conflictView = z.object({
  conflict: z.string(),
  line: z.number(),
  external_id: z.string(),
  difference: z.record(z.string(), z.object({ ours: z.string().nullable(), theirs: z.string().nullable() })),
  status: z.enum(['open', 'kept', 'accepted', 'withdrawn']),
  file: z.string().nullable(),
  found_at: z.date().nullable(),
  decided_by: z.string().nullable(),
  decided_at: z.date().nullable(),
  reason: z.string().nullable(),
  import: z.string(),
});

export function viewConflict({ id, import_id, ...rest }: ConflictSummary): z.infer<typeof conflictView> {
  return { conflict: showId('conflict', id), ...rest, import: showId('import', import_id) };
}

/** What stands in an account of the journal, by state; exact decimals of `currency`. */
const balanceView = z.object({
  currency: z.string(),
  pending: z.string(),
  awaiting: z.string(),
  ready: z.string(),
  in_payout: z.string(),
  paid: z.string(),
  declined: z.string(),
});

/** An affiliate, likewise; without the address and the bank details. */
export const affiliateView = z.object({
  affiliate: z.string(),
  ref: z.string(),
  name: z.string(),
  short_code: z.string().nullable(),
  status: z.enum(['pending', 'active', 'paused', 'banned']),
  payout_method: z.enum(['paypal', 'wise', 'sepa', 'ach', 'manual']).nullable(),
  has_destination: z.boolean(),
  balances: z.array(balanceView),
});

export function viewAffiliate(one: ListedAffiliate): z.infer<typeof affiliateView> {
  return {
    affiliate: showId('affiliate', one.id),
    ref: one.ref,
    name: one.name,
    short_code: one.shortCode,
    status: one.status,
    payout_method: one.method,
    has_destination: one.hasDestination,
    balances: one.balances.map(({ currency, ...amounts }) => {
      const shown = (state: keyof typeof amounts) => formatAmount(amounts[state], currency);
      return {
        currency,
        pending: shown('pending'),
        awaiting: shown('awaiting'),
        ready: shown('ready'),
        in_payout: shown('in_payout'),
        paid: shown('paid'),
        declined: shown('declined'),
      };
    }),
  };
}
