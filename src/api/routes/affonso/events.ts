import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Batcher } from '../../../batcher.ts';
import { showId } from '../../../ids.ts';
import { readEvent } from '../../../imports/requests.ts';
import { ApiFault } from '../../fault.ts';
import { type CommissionView, commissionsOf } from '../../reads/commissions.ts';
import { readEventResult } from '../../reads/events.ts';
import { type Identifier, Identities } from '../../reads/identities.ts';
import type { ApiContext } from '../../server.ts';
import { type RequestSource, sourceOf } from '../../source.ts';
import { conversionBody, eventBody, referralOf, unaliased } from './body.ts';
import { conversionObject, referralStatus, showConversion, succeeded, withoutPrefix } from './objects.ts';
import { invalid } from './query.ts';

const eventResult = z.object({
  referral_id: z.string(),
  transaction_id: z.null(),
  event_name: z.string(),
  event_type: z.enum(['lead', 'trial', 'milestone', 'cancellation']),
  external_event_id: z.string().nullable(),
  action: z.string(),
  referral_status: referralStatus,
  replayed: z.boolean(),
  source_event_id: z.string().nullable(),
});

type Answer = { replayed: boolean; data: z.infer<typeof conversionObject> | z.infer<typeof eventResult> };

/** `POST /v1/events`, also for sources of one's own, and `POST /v1/conversions`. */
export function events(app: FastifyInstance, api: ApiContext): void {
  const ingest = ingester(api);
  const answers = succeeded(z.union([conversionObject, eventResult]));
  for (const url of ['/v1/events', '/v1/sources/custom/events'])
    app.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url,
      schema: { body: eventBody, response: { 200: answers, 201: answers } },
      handler: async (request, reply) => {
        const { replayed, data } = await ingest(request, request.body);
        return reply.status(replayed ? 200 : 201).send({ success: true, data });
      },
    });
  const conversion = succeeded(conversionObject);
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/v1/conversions',
    schema: { body: conversionBody, response: { 200: conversion, 201: conversion } },
    handler: async (request, reply) => {
      const { created_at: createdAt, ...body } = request.body;
      const source = await sourceOf(api, request.client);
      const { replayed, data } = await ingest(request, {
        ...body,
        event_type: 'conversion',
        event_name: 'conversion',
        occurred_at: body.occurred_at ?? createdAt,
        sale_amount_currency:
          body.sale_amount_currency ?? source.settings.defaults?.currency ?? source.program.currency,
      });
      return reply
        .status(replayed ? 200 : 201)
        .send({ success: true, data: data as z.infer<typeof conversionObject> });
    },
  });
}

/** Records the event of a request, or finds what became of it before. */
function ingester(
  api: ApiContext,
): (request: FastifyRequest, stated: Record<string, unknown>) => Promise<Answer> {
  const identities = new Identities(api.db);
  const sales = new Batcher<{ accountId: number; id: string }, CommissionView>(async (asked) => {
    const accounts = new Set(asked.map((one) => one.accountId));
    const found = await Promise.all(
      [...accounts].map((accountId) =>
        commissionsOf(
          api.db,
          accountId,
          asked.filter((one) => one.accountId === accountId).map((one) => one.id),
        ),
      ),
    );
    const byId = new Map(found.flat().map((one) => [one.id, one]));
    return asked.map(({ id }) => byId.get(id)!);
  }, 200);
  return async (request, stated) => {
    const { accountId, key } = request.client;
    const source = await sourceOf(api, request.client);
    const idPrefix = source.settings.id_prefix ?? '';
    const conversion = async (id: string, replayed: boolean): Promise<Answer> => ({
      replayed,
      data: showConversion(await sales.add({ accountId, id }), { idPrefix, replayed }),
    });
    const { event, identifiers } = await read(api, source, request, stated);
    const named = await identities.find({ accountId, externalId: event.externalId, identifiers });
    const { earlier } = named;
    if (earlier?.noun === 'event') return eventAnswer(api, accountId, earlier.id, idPrefix, true);
    const isSale = event.eventType === 'conversion';
    if (earlier && !isSale) return conversion(earlier.id, true);
    const referral = referralOf(identifiers, named);
    if (referral === 'several') {
      if (earlier) return conversion(earlier.id, true);
      throw invalid('referral_id', 'The identifiers do not all name the same referral.');
    }
    if (referral === undefined && event.affiliate === undefined) {
      if (earlier) return conversion(earlier.id, true);
      throw new ApiFault('not-found', 'Referral not found');
    }
    const telling = {
      ...event,
      ...(referral && { referralId: referral.id, referralRef: undefined, learns: referral.learns }),
      ...(isSale && saleTerms(stated, key.scopes)),
    };
    const { requester, program } = source;
    if (!isSale) {
      const ended = await api.door.event(requester, program.id, telling);
      if (ended.verdict === 'rejected') throw refused(ended);
      if (ended.eventId !== undefined)
        return eventAnswer(api, accountId, ended.eventId, idPrefix, ended.verdict === 'duplicate');
      const again = await identities.find({ accountId, externalId: event.externalId, identifiers: [] });
      return conversion(again.earlier!.id, true);
    }
    const ended = await api.door.sale(requester, program.id, telling);
    if (ended.verdict !== 'rejected') return conversion(ended.conversionId, ended.verdict !== 'recorded');
    if (earlier) return conversion(earlier.id, true);
    throw refused(ended);
  };
}

async function read(
  api: ApiContext,
  { settings, program }: RequestSource,
  request: FastifyRequest,
  stated: Record<string, unknown>,
) {
  const { body, others } = unaliased(stated);
  const event = await readEvent(body, request.numbers.get('sale_amount'), {
    workspace: api.config.workspace,
    program,
    timezone: settings.timezone,
    idPrefix: settings.id_prefix ?? '',
    receivedAt: api.clock(),
  });
  if ('fault' in event && typeof event.fault === 'object')
    throw invalid(event.fault.field, event.fault.message);
  const staged = event as Exclude<typeof event, { fault: object }>;
  if (stated.status !== undefined && stated.status !== null && !request.client.key.scopes.includes('status'))
    throw new ApiFault('forbidden', 'The key has not the scope "status", which a status in a request needs.');
  if (staged.eventType === 'conversion' && staged.amount === 0n)
    throw invalid('sale_amount', '"sale_amount" must be more than 0.');
  const all: [Identifier['kind'], string | undefined][] = [
    ['referral', staged.referralRef],
    ['customer', staged.customerId],
    ['user', staged.externalUserId],
    ['click', staged.clickId],
  ];
  const own = all.flatMap(([kind, value]) => (value === undefined ? [] : [{ kind, value }]));
  return { event: staged, identifiers: [...own, ...others] };
}

/** What a body says of the states of a sale: its own, and with the scope for it that of the commission. */
function saleTerms({ status, sales_status: salesStatus }: Record<string, unknown>, scopes: string[]) {
  const said = scopes.includes('status') ? (status ?? 'pending') : 'pending';
  if (said !== 'pending' && said !== 'ready_for_payment')
    throw invalid('status', 'must be pending, or ready_for_payment for a commission without a hold.');
  return {
    ...(typeof salesStatus === 'string' && { salesStatus: salesStatus as 'complete' }),
    ...(said === 'ready_for_payment' && { holdDays: 0 }),
  };
}

async function eventAnswer(
  api: ApiContext,
  accountId: number,
  id: string,
  idPrefix: string,
  replayed: boolean,
): Promise<Answer> {
  const event = await readEventResult(api.db, accountId, id);
  const external = event.external_event_id;
  return {
    replayed,
    data: {
      referral_id: showId('referral', event.referral_id),
      transaction_id: null,
      event_name: event.event_name,
      event_type: event.event_type,
      external_event_id: external && withoutPrefix(external, idPrefix),
      action: event.action,
      referral_status: event.referral_status,
      replayed,
      source_event_id: showId('event', id),
    },
  };
}

function refused({ code, field }: { code: string; field: string }): ApiFault {
  if (code === 'customer-unknown') return new ApiFault('not-found', 'Referral not found');
  if (code === 'affiliate-unknown') return new ApiFault('not-found', 'Affiliate not found');
  if (code === 'sale-id-of-refund') {
    const message = 'The external_event_id is that of a refund.';
    return new ApiFault('duplicate', message, { details: [{ field: 'external_event_id', message }] });
  }
  return invalid(field, `can't be used (${code}).`);
}
