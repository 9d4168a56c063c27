import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readId } from '../../../ids.ts';
import { readRequestAmount } from '../../../imports/requests.ts';
import { parseInstant } from '../../../time.ts';
import { ApiFault } from '../../fault.ts';
import { type CommissionView, commissionsOf } from '../../reads/commissions.ts';
import type { ApiContext } from '../../server.ts';
import { sourceOf } from '../../source.ts';
import { conversionObject, showConversion, succeeded } from './objects.ts';
import { invalid } from './query.ts';

const text = z.string().nullish();

const refundBody = z
  .looseObject({
    amount: z.number().nullish().describe('Major units; all that remains of the sale unless said.'),
    currency: text.describe('That of the sale.'),
    reason: text,
    external_event_id: text.describe('Makes it safe to repeat.'),
    refunded_at: text.describe('ISO 8601.'),
    status: text.describe('Refused, unless the key has the scope "status"; a refund decides it by itself.'),
  })
  .nullish();

/** `POST /v1/conversions/{id}/refund`: of a part, or of all that remains. */
export function refunds(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/conversions/:id/refund',
    schema: {
      params: z.object({ id: z.string().describe('The id of the conversion, or of its commission.') }),
      body: refundBody,
      response: { 200: succeeded(conversionObject) },
    },
    handler: async (request, reply) => {
      const { accountId, key } = request.client;
      const body = request.body ?? {};
      const sale = await saleOf(api, accountId, request.params.id);
      if (body.status !== undefined && body.status !== null && !key.scopes.includes('status'))
        throw new ApiFault(
          'forbidden',
          'The key has not the scope "status", which a status in a request needs.',
        );
      const source = await sourceOf(api, request.client);
      const idPrefix = source.settings.id_prefix ?? '';
      const ended = await api.door.refund(source.requester, {
        conversionId: sale.id,
        externalId: idPrefix + idOf(body.external_event_id),
        amount: amountOf(request.numbers?.get('amount'), body.currency, sale),
        occurredAt: momentOf(body.refunded_at, source.settings.timezone ?? source.program.timezone),
      });
      if (ended.verdict === 'rejected') throw refused(ended);
      const [now] = await commissionsOf(api.db, accountId, [sale.id]);
      const replayed = ended.verdict !== 'recorded';
      return reply.send({ success: true, data: showConversion(now!, { idPrefix, replayed }) });
    },
  });
}

async function saleOf(api: ApiContext, accountId: number, text: string): Promise<CommissionView> {
  const read = readId(text);
  const isSale = read && [undefined, 'conversion', 'commission'].includes(read.noun);
  const [sale] = isSale ? await commissionsOf(api.db, accountId, [read.id]) : [];
  if (!sale) throw new ApiFault('not-found', 'Conversion not found');
  return sale;
}

function idOf(stated: string | null | undefined): string {
  const id = (stated ?? '').trim().normalize('NFC');
  if (id.length > 255) throw invalid('external_event_id', 'must have at most 255 characters.');
  return id || `refund:${randomUUID()}`;
}

function amountOf(
  written: string | undefined,
  currency: string | null | undefined,
  sale: CommissionView,
): bigint | undefined {
  if ((currency ?? sale.sale_currency).toUpperCase() !== sale.sale_currency)
    throw invalid('currency', `must be that of the sale, ${sale.sale_currency}.`);
  if (written === undefined) return undefined;
  const amount = readRequestAmount(written, sale.sale_currency, 'amount');
  if (typeof amount === 'object') throw invalid(amount.fault.field, amount.fault.message);
  return amount;
}

function momentOf(stated: string | null | undefined, zone: string): string | undefined {
  if (stated === undefined || stated === null || stated.trim() === '') return undefined;
  const moment = parseInstant(stated.trim(), zone);
  if (!moment) throw invalid('refunded_at', 'must be a date and time of ISO 8601.');
  return moment.toISOString();
}

function refused({ code }: { code: string }): ApiFault {
  if (code === 'refund-exceeds') return invalid('amount', 'is more than remains of the sale.');
  const message = 'The external_event_id is that of something else.';
  return new ApiFault('duplicate', message, { details: [{ field: 'external_event_id', message }] });
}
