import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readId, showId } from '../../../ids.ts';
import { readExternalId } from '../../../imports/requests.ts';
import { maxMinorUnits } from '../../../money.ts';
import { ApiFault } from '../../fault.ts';
import { earnedBy } from '../../reads/earned.ts';
import type { ApiContext } from '../../server.ts';
import { sourceOf } from '../../source.ts';

const sale = z.object({
  affiliate_id: z.string().trim().min(1).max(255).describe('The affiliate to credit.'),
  amount_cents: z
    .int()
    .positive()
    .max(Number(maxMinorUnits))
    .describe('What the sale is, in minor units of the programme’s currency.'),
  external_id: z
    .string()
    .max(255)
    .transform(readExternalId)
    .refine((id) => id !== undefined, 'is empty; leave it out instead')
    .optional()
    .describe('Your own id of it; known to any door already, it is answered by 409.'),
});

const recorded = z.object({ id: z.string(), commissionCents: z.int() });

/** Records sales that Stripe knows nothing of. */
export function manualConversions(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/api/v1/conversions',
    schema: {
      tags: ['affilut'],
      summary: 'Record a manual conversion.',
      body: sale,
      response: { 201: recorded },
    },
    handler: async (request, reply) => {
      const { affiliate_id, amount_cents, external_id } = request.body;
      const { requester, program, settings } = await sourceOf(api, request.client);
      const id = readId(affiliate_id);
      const verdict = await api.door.sale(requester, program.id, {
        n: 1,
        line: 1,
        externalId:
          external_id === undefined ? `affilut:${randomUUID()}` : `${settings.id_prefix ?? ''}${external_id}`,
        affiliate: id?.noun === 'affiliate' ? id.id : affiliate_id,
        amount: BigInt(amount_cents),
        currency: program.currency,
        occurredAt: api.clock().toISOString(),
        occurredAtGiven: false,
        salesStatus: 'complete',
      });
      if (verdict.verdict === 'rejected' && verdict.code.startsWith('affiliate'))
        throw new ApiFault('not-found', 'Affiliate not found');
      if (verdict.verdict !== 'recorded')
        throw new ApiFault('duplicate', 'Duplicate external_id: the conversion is recorded already');
      const earned = await earnedBy(api.db, request.client.accountId, verdict.conversionId);
      return reply.status(201).send({
        id: showId('conversion', verdict.conversionId),
        commissionCents: Number(earned),
      });
    },
  });
}
