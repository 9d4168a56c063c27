import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { showId } from '../../../ids.ts';
import { affiliatesNamed } from '../../reads/affiliates.ts';
import { type ConversionView, conversionStatuses, pageOfConversions } from '../../reads/conversions.ts';
import type { ApiContext } from '../../server.ts';
import { pageOf, paging } from './paging.ts';

const conversion = z.object({
  id: z.string(),
  affiliateId: z.string(),
  stripeChargeId: z.string().describe('A charge of Stripe’s, or manual:<external_id>.'),
  amountCents: z.int().describe('What was sold, in minor units of the sale’s currency; refunds leave it.'),
  commissionCents: z
    .int()
    .describe('What it earned, in minor units of the programme’s currency; refunds leave it.'),
  status: z.enum(conversionStatuses),
  createdAt: z.string().describe('When the sale was made.'),
});

const query = z.object({
  ...paging,
  affiliate_id: z.string().trim().min(1).max(255).optional().describe('Those of one affiliate alone.'),
  status: z.enum(conversionStatuses).optional(),
});

export function conversions(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/api/v1/conversions',
    schema: {
      tags: ['affilut'],
      summary: 'Conversions, in the order in which they were recorded.',
      querystring: query,
      response: { 200: pageOf(conversion) },
    },
    handler: async (request) => {
      const { page, limit, affiliate_id, status } = request.query;
      const { accountId } = request.client;
      const named =
        affiliate_id === undefined ? undefined : await affiliatesNamed(api.db, accountId, affiliate_id);
      if (named && named.length !== 1) return { data: [], page, limit };
      const filter = { affiliateId: named?.[0], status };
      const rows = await pageOfConversions(api.db, accountId, filter, { page, limit });
      return { data: rows.map(show), page, limit };
    },
  });
}

const charge = /^(?:ch|py)_/;

function show(row: ConversionView): z.infer<typeof conversion> {
  const { external_id: whole, prefix } = row;
  const id = whole.startsWith(prefix) ? whole.slice(prefix.length) : whole;
  return {
    id: showId('conversion', row.id),
    affiliateId: showId('affiliate', row.affiliate_id),
    stripeChargeId: row.is_of_stripe || charge.test(id) ? id : `manual:${id}`,
    amountCents: Number(row.amount),
    commissionCents: Number(row.earned),
    status: row.status,
    createdAt: row.occurred_at.toISOString(),
  };
}
