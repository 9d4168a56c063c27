import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readId } from '../../../ids.ts';
import { ApiFault } from '../../fault.ts';
import { pageOfEntries } from '../../reads/entries.ts';
import { momentsBetween } from '../../reads/moments.ts';
import type { ApiContext } from '../../server.ts';
import { businessParams, idIn, ownBusiness } from './business.ts';
import { readEntryObject, showRead } from './objects.ts';
import { paged, pageOf, paging } from './paging.ts';

const url = '/api/v1/businesses/:businessId/conversions/entries';
const tags = ['Conversion entries'];

const query = z.object({
  ...paging,
  configId: z.string().max(255).optional().describe('Those of one config, which is a programme.'),
  from: z.string().max(64).optional().describe('ISO 8601; on or after this moment.'),
  to: z
    .string()
    .max(64)
    .optional()
    .describe('ISO 8601; on or before this moment; a date alone is the whole day (UTC).'),
  sort: z.enum(['-occurredAt', 'occurredAt']).default('-occurredAt').describe('`-` for the latest first.'),
});

/** No programme has it. */
const none = '00000000-0000-0000-0000-000000000000';

export function listEntries(app: FastifyInstance, api: ApiContext): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.route({
    method: 'GET',
    url,
    schema: {
      tags,
      summary: 'Entries by when they occurred.',
      params: businessParams,
      querystring: query,
      response: { 200: pageOf(readEntryObject) },
    },
    handler: async (request) => {
      const business = await ownBusiness(api, request);
      const { configId, from, to, sort, ...choice } = request.query;
      const moments = momentsBetween(from, to, 'UTC');
      if (typeof moments === 'string')
        throw new ApiFault('invalid', `${moments}: must be a date and time of ISO 8601.`);
      const programId = configId === undefined ? undefined : (readId(configId)?.id ?? none);
      const order = sort === 'occurredAt' ? 'asc' : 'desc';
      const { rows, total } = await pageOfEntries(
        api.db,
        request.client.accountId,
        { programId, ...moments },
        { ...choice, order },
      );
      return paged(
        rows.map((row) => showRead(row, business.id)),
        choice,
        total,
      );
    },
  });
  typed.route({
    method: 'GET',
    url: `${url}/:entryId`,
    schema: {
      tags,
      summary: 'One entry.',
      params: businessParams.extend({ entryId: z.string() }),
      response: { 200: z.object({ data: readEntryObject }) },
    },
    handler: async (request) => {
      const business = await ownBusiness(api, request);
      const id = idIn(request.params.entryId, 'Entry');
      const choice = { page: 1, limit: 1, order: 'asc' } as const;
      const { rows } = await pageOfEntries(api.db, request.client.accountId, { id }, choice);
      if (!rows[0]) throw new ApiFault('not-found', 'Entry not found');
      return { data: showRead(rows[0], business.id) };
    },
  });
}
