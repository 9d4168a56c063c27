import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { AffiliateStatus, PayoutStatus } from '../../../db/tables.ts';
import { showId } from '../../../ids.ts';
import { formatPercent } from '../../../money.ts';
import { exactNumber } from '../../exact.ts';
import { type AffiliateView, pageOfAffiliates } from '../../reads/affiliates.ts';
import { type PayoutView, pageOfPayouts } from '../../reads/payouts.ts';
import type { ApiContext } from '../../server.ts';
import { sourceOf } from '../../source.ts';
import { affiliateObject, partnershipStatus, showAffiliate, showMoment, succeeded } from './objects.ts';
import { affiliateFilter, listOf, momentsOf, numbered, pageOf, pagination, showPagination } from './query.ts';

const statusesOf: Record<z.infer<typeof partnershipStatus>, AffiliateStatus[]> = {
  pending: ['pending'],
  approved: ['active', 'paused'],
  rejected: ['banned'],
};

const affiliateExpand = listOf([
  'promoCodes',
  'commissionOverrides',
  'invoiceDetails',
  'payoutMethod',
  'onboardingResponses',
]);

const expandedAffiliate = affiliateObject.extend({
  promoCodes: z.array(z.never()).optional(),
  commissionOverrides: z.array(z.object({ amount: z.number(), is_percentage: z.literal(true) })).optional(),
  invoiceDetails: z.null().optional(),
  payoutMethod: z
    .object({ type: z.string(), details: z.null().describe('Where payouts go to is not told.') })
    .optional(),
  onboardingResponses: z.array(z.never()).optional(),
});

const payoutStatus = z.enum(['pending', 'processing', 'completed', 'failed', 'cancelled']);

const payoutStatuses: Record<z.infer<typeof payoutStatus>, PayoutStatus[]> = {
  pending: ['draft', 'approved'],
  processing: ['exported'],
  completed: ['paid'],
  failed: ['failed', 'returned'],
  cancelled: ['canceled'],
};

const payoutObject = z.object({
  id: z.string(),
  affiliate_id: z.string(),
  program_id: z.string(),
  amount: z.number().describe('Major units, exact.'),
  currency: z.string(),
  status: payoutStatus,
  invoice_number: z.string(),
  payment_method: z.string(),
  payment_reference: z.string().nullable(),
  managed_payout: z.literal(false),
  affiliate: z.object({ name: z.string(), email: z.string().nullable() }),
  created_at: z.string(),
  processed_at: z.string().nullable(),
});

/** `GET /v1/affiliates` and `GET /v1/payouts`. */
export function people(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/v1/affiliates',
    schema: {
      querystring: z.object({
        ...numbered,
        partnership_status: partnershipStatus.optional(),
        search: z.string().optional(),
        expand: affiliateExpand,
      }),
      response: { 200: succeeded(z.array(expandedAffiliate)).extend({ pagination }) },
    },
    handler: async (request, reply) => {
      const { query } = request;
      const { program } = await sourceOf(api, request.client);
      const filter = {
        ...momentsOf(query, program.timezone),
        statuses: query.partnership_status && statusesOf[query.partnership_status],
        search: query.search,
      };
      const { rows, total } = await pageOfAffiliates(api.db, request.client.accountId, filter, pageOf(query));
      const data = rows.map((row) => ({ ...showAffiliate(row, program.id), ...expanded(row, query.expand) }));
      return reply.send({ success: true, data, pagination: showPagination(query.page, query.limit, total) });
    },
  });
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/v1/payouts',
    schema: {
      querystring: z.object({
        ...numbered,
        status: payoutStatus.optional(),
        affiliate_id: z.string().optional(),
        affiliateId: z.string().optional().describe('The same as affiliate_id.'),
      }),
      response: { 200: succeeded(z.array(payoutObject)).extend({ pagination }) },
    },
    handler: async (request, reply) => {
      const { accountId } = request.client;
      const { query } = request;
      const { program } = await sourceOf(api, request.client);
      const filter = {
        ...momentsOf(query, program.timezone),
        statuses: query.status && payoutStatuses[query.status],
        affiliateId: await affiliateFilter(api, accountId, query.affiliate_id ?? query.affiliateId),
      };
      const { rows, total } = await pageOfPayouts(api.db, accountId, filter, pageOf(query));
      const data = rows.map(showPayout);
      return reply.send({ success: true, data, pagination: showPagination(query.page, query.limit, total) });
    },
  });
}

function expanded(row: AffiliateView, expand: string[]) {
  const override = row.override_ppm;
  return {
    ...(expand.includes('promoCodes') && { promoCodes: [] }),
    ...(expand.includes('commissionOverrides') && {
      commissionOverrides:
        override === null ? [] : [{ amount: Number(formatPercent(override)), is_percentage: true as const }],
    }),
    ...(expand.includes('invoiceDetails') && { invoiceDetails: null }),
    ...(expand.includes('payoutMethod') && {
      payoutMethod: { type: methods[row.payout_method ?? 'none'] ?? 'none', details: null },
    }),
    ...(expand.includes('onboardingResponses') && { onboardingResponses: [] }),
  };
}

const methods: Record<string, string> = {
  paypal: 'paypal',
  wise: 'wise',
  sepa: 'wire_transfer',
  ach: 'ach',
  manual: 'manual',
};

function showPayout(one: PayoutView): z.infer<typeof payoutObject> {
  const [status] = Object.entries(payoutStatuses).find(([, ours]) => ours.includes(one.status))!;
  return {
    id: showId('payout', one.id),
    affiliate_id: showId('affiliate', one.affiliate_id),
    program_id: showId('program', one.program_id),
    amount: exactNumber(one.amount, one.currency),
    currency: one.currency,
    status: status as z.infer<typeof payoutStatus>,
    invoice_number: one.reference,
    payment_method: methods[one.method]!,
    payment_reference: one.provider_reference,
    managed_payout: false,
    affiliate: { name: one.affiliate_name, email: one.affiliate_email },
    created_at: showMoment(one.created_at),
    processed_at: one.status === 'paid' ? showMoment(one.status_at) : null,
  };
}
