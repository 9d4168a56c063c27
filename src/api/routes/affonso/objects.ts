import { z } from 'zod';
import { showId } from '../../../ids.ts';
import { exactNumber } from '../../exact.ts';
import type { AffiliateView } from '../../reads/affiliates.ts';
import type { CommissionView } from '../../reads/commissions.ts';
import type { ReferralView } from '../../reads/referrals.ts';

/** What every answer of success is wrapped in. */
export function succeeded<Shape extends z.ZodType>(data: Shape) {
  return z.object({ success: z.literal(true), data });
}

export const partnershipStatus = z.enum(['pending', 'approved', 'rejected']);

export const affiliateObject = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  tracking_id: z.string(),
  source: z.string().nullable(),
  partnership_status: partnershipStatus,
  onboarding_completed: z.boolean().describe('Whether it is known where payouts go to.'),
  program_id: z.string(),
  group_id: z.string().nullable(),
  external_user_id: z.string().nullable(),
  metadata: z.null(),
  created_at: z.string(),
});

export function showAffiliate(one: AffiliateView, programId: string): z.infer<typeof affiliateObject> {
  return {
    id: showId('affiliate', one.id),
    name: one.name,
    email: one.email,
    tracking_id: one.short_code ?? one.ref,
    source: null,
    partnership_status:
      one.status === 'pending' ? 'pending' : one.status === 'banned' ? 'rejected' : 'approved',
    onboarding_completed: one.payout_destination !== null,
    program_id: showId('program', programId),
    group_id: null,
    external_user_id: one.ref,
    metadata: null,
    created_at: showMoment(one.created_at),
  };
}

export const referralStatus = z.enum(['lead', 'trialing', 'customer', 'active', 'canceled', 'rejected']);

export const referralObject = z.object({
  id: z.string(),
  affiliate_id: z.string(),
  program_id: z.string(),
  email: z.string().nullable(),
  customer_id: z.string().nullable(),
  subscription_id: z.string().nullable().describe('That of its latest sale which tells one.'),
  status: referralStatus,
  created_at: z.string(),
  converted_at: z.string().nullable(),
});

export function showReferral(one: ReferralView): z.infer<typeof referralObject> {
  return {
    id: showId('referral', one.id),
    affiliate_id: showId('affiliate', one.affiliate_id),
    program_id: showId('program', one.program_id),
    email: one.email,
    customer_id: one.customer_id,
    subscription_id: one.subscription_id,
    status: one.status,
    created_at: showMoment(one.created_at),
    converted_at: one.converted_at && showMoment(one.converted_at),
  };
}

export const salesStatus = z.enum(['open', 'complete', 'trialing', 'failed', 'refunded', 'partial_refunded']);

const earning = {
  commission_amount: z
    .number()
    .nullable()
    .describe('Major units, exact; what remains after refunds. Null where the sale earns nothing.'),
  commission_currency: z.string().nullable(),
  status: z
    .enum(['pending', 'pending_manual_approval', 'ready_for_payment', 'paid', 'declined'])
    .nullable()
    .describe('One in a payout that was exported is ready_for_payment until it is paid.'),
};

export const commissionObject = z.object({
  id: z.string(),
  referral_id: z.string().nullable(),
  affiliate_id: z.string(),
  program_id: z.string(),
  sale_amount: z.number().describe('Major units, exact; what remains of the sale after refunds.'),
  sale_amount_currency: z.string(),
  ...earning,
  sales_status: salesStatus,
  hold_period_days: z.int().nullable(),
  payment_intent_id: z.string().nullable(),
  invoice_id: z.string().nullable(),
  created_at: z.string().describe('When the sale occurred.'),
  updated_at: z.string(),
});

export function showCommission(one: CommissionView): z.infer<typeof commissionObject> {
  const { earned_amount: amount, earned_currency: currency } = one;
  return {
    id: showId(amount === null ? 'conversion' : 'commission', one.id),
    referral_id: one.referral_id && showId('referral', one.referral_id),
    affiliate_id: showId('affiliate', one.affiliate_id),
    program_id: showId('program', one.program_id),
    sale_amount: exactNumber(one.sale_amount, one.sale_currency),
    sale_amount_currency: one.sale_currency,
    commission_amount: amount === null ? null : exactNumber(amount, currency!),
    commission_currency: currency,
    status: one.earned_status,
    sales_status: one.sales_status,
    hold_period_days: one.hold_days,
    payment_intent_id: one.payment_intent_id,
    invoice_id: one.invoice_id,
    created_at: showMoment(one.occurred_at),
    updated_at: showMoment(one.updated_at),
  };
}

export const conversionObject = commissionObject.extend({
  external_event_id: z.string(),
  calculation_mode: z.literal('auto'),
  matched_incentive_id: z.string().nullable().describe('Null where the programme’s own terms hold.'),
  earning_id: z.string().nullable(),
  earning_type: z.literal('direct_commission').nullable(),
  replayed: z.boolean().describe('Whether the event was known before: this is what became of it.'),
  source_event_id: z.string().nullable(),
});

/** `idPrefix` is that of the source, which a client does not know of. */
export function showConversion(
  one: CommissionView,
  { idPrefix, replayed }: { idPrefix: string; replayed: boolean },
): z.infer<typeof conversionObject> {
  const hasEarned = one.earned_amount !== null;
  return {
    ...showCommission(one),
    external_event_id: withoutPrefix(one.external_id, idPrefix),
    calculation_mode: 'auto',
    matched_incentive_id: one.incentive_id && showId('incentive', one.incentive_id),
    earning_id: hasEarned ? showId('commission', one.id) : null,
    earning_type: hasEarned ? 'direct_commission' : null,
    replayed,
    source_event_id: null,
  };
}

export function withoutPrefix(externalId: string, idPrefix: string): string {
  return externalId.startsWith(idPrefix) ? externalId.slice(idPrefix.length) : externalId;
}

/** As their documents write it: without a fraction where the second is whole. */
export function showMoment(moment: Date): string {
  return moment.toISOString().replace('.000Z', 'Z');
}
