import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { sql } from 'kysely';
import { z } from 'zod';
import { readId, showId } from '../../ids.ts';
import { ApiFault } from '../fault.ts';
import type { ApiContext, Interface } from '../server.ts';
import { sourceOf } from '../source.ts';

/** affilut's REST API: https://affilut.com/guides. Amounts are cents, that is minor units of the programme's currency. */
export const affilut: Interface = {
  kind: 'affilut',
  paths: ['/api/v1/'],
  countsApart: true,
  limit: (method) => (method === 'GET' ? 120 : 30),
  faultBody: (fault) => ({ error: fault.message }),
  routes(app, api) {
    conversions(app, api);
  },
};

const sale = z.object({
  affiliate_id: z.string().min(1),
  amount_cents: z.int().positive(),
  external_id: z.string().trim().min(1).max(255).optional(),
});

const recorded = z.object({ id: z.string(), commissionCents: z.number() });

function conversions(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/api/v1/conversions',
    schema: { body: sale, response: { 201: recorded } },
    handler: async (request, reply) => {
      const { affiliate_id, amount_cents, external_id } = request.body;
      const source = await sourceOf(api, request.client);
      const externalId = external_id ?? `affilut:${randomUUID()}`;
      const now = api.clock();
      const id = readId(affiliate_id);
      const verdict = await api.door.sale(source.requester, source.program.id, {
        n: 1,
        line: 1,
        externalId: `${source.settings.id_prefix ?? ''}${externalId.normalize('NFC')}`,
        affiliate: id?.noun === 'affiliate' ? id.id : affiliate_id,
        amount: BigInt(amount_cents),
        currency: source.program.currency,
        occurredAt: now.toISOString(),
        occurredAtGiven: false,
        salesStatus: 'complete',
      });
      if (verdict.verdict === 'rejected') {
        if (verdict.code.startsWith('affiliate')) throw new ApiFault('not-found', 'Affiliate not found');
        throw new ApiFault('invalid', `${verdict.field}: ${verdict.code}`);
      }
      if (verdict.verdict !== 'recorded')
        throw new ApiFault('duplicate', 'Duplicate external_id: the conversion is recorded already');
      const earned = await sql<{ amount: bigint }>`/* api.affilut.commission */
        select amount from commission where account_id = ${request.client.accountId} and id = ${verdict.conversionId}`.execute(
        api.db.sql,
      );
      return reply.status(201).send({
        id: showId('conversion', verdict.conversionId),
        commissionCents: Number(earned.rows[0]?.amount ?? 0n),
      });
    },
  });
}
