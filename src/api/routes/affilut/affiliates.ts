import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { showId } from '../../../ids.ts';
import { formatPercent } from '../../../money.ts';
import { pageOfAffiliates } from '../../reads/affiliates.ts';
import type { ApiContext } from '../../server.ts';
import { pageOf, paging } from './paging.ts';

const affiliate = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  shortCode: z.string().describe('The ref, where there is no short code.'),
  status: z.enum(['pending', 'active', 'paused', 'banned']),
  commissionOverride: z.string().nullable().describe('Percent; null: the programme’s.'),
  createdAt: z.string(),
  activatedAt: z
    .string()
    .nullable()
    .describe('When it was created, unless it is pending: later is not known.'),
});

export function affiliates(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/api/v1/affiliates',
    schema: {
      tags: ['affilut'],
      summary: 'Affiliates, the oldest first.',
      querystring: z.object(paging),
      response: { 200: pageOf(affiliate) },
    },
    handler: async (request) => {
      const { page, limit } = request.query;
      const choice = { page, limit, order: 'asc' } as const;
      const { rows } = await pageOfAffiliates(api.db, request.client.accountId, {}, choice);
      const data = rows.map((row) => ({
        id: showId('affiliate', row.id),
        name: row.name,
        email: row.email,
        shortCode: row.short_code ?? row.ref,
        status: row.status,
        commissionOverride: row.override_ppm === null ? null : formatPercent(row.override_ppm),
        createdAt: row.created_at.toISOString(),
        activatedAt: row.status === 'pending' ? null : row.created_at.toISOString(),
      }));
      return { data, page, limit };
    },
  });
}
