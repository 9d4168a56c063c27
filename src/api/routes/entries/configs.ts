import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { createRequestSource } from '../../../db/request-sources.ts';
import { ApiFault } from '../../fault.ts';
import { requestSources, type SourceView } from '../../reads/request-sources.ts';
import type { ApiContext } from '../../server.ts';
import { businessParams, idIn, ownBusiness } from './business.ts';
import { pagedOf, pageOf, paging } from './paging.ts';

const base = '/api/v1/businesses/:businessId/conversions/configs';
const tags = ['Conversion entries'];

const config = z.object({
  id: z.string(),
  name: z.string().describe('The programme’s ref.'),
  displayName: z.string(),
  isActive: z.boolean(),
});
const isActive = z.enum(['true', 'false']).optional();
const source = z.object({ id: z.string(), name: z.string(), isActive: z.boolean() });
const ofConfig = businessParams.extend({ configId: z.string() });

/** Conversion configs, which are programmes, and their sources. */
export function configs(app: FastifyInstance, api: ApiContext): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.route({
    method: 'GET',
    url: base,
    schema: {
      tags,
      summary: 'Conversion configs, which are the account’s programmes.',
      params: businessParams,
      querystring: z.object({ ...paging, isActive }),
      response: { 200: pageOf(config) },
    },
    handler: async (request) => {
      await ownBusiness(api, request);
      const programs = await api.db.sql
        .selectFrom('program')
        .select(['id', 'ref', 'name', 'retired'])
        .where('account_id', '=', request.client.accountId)
        .orderBy('ref')
        .execute();
      const all = programs.map((one) => ({
        id: one.id,
        name: one.ref,
        displayName: one.name,
        isActive: !one.retired,
      }));
      return pagedOf(all.filter(isWanted(request.query.isActive)), request.query);
    },
  });
  typed.route({
    method: 'GET',
    url: `${base}/:configId/sources`,
    schema: {
      tags,
      summary: 'The sources of a config: those of payrun.json and those that clients have made.',
      params: ofConfig,
      querystring: z.object({ ...paging, isActive }),
      response: { 200: pageOf(source) },
    },
    handler: async (request) => {
      const programId = await programOf(api, request, request.params.configId);
      const all = (await requestSources(api.db, request.client.accountId, { programId })).map(show);
      return pagedOf(all.filter(isWanted(request.query.isActive)), request.query);
    },
  });
  typed.route({
    method: 'POST',
    url: `${base}/:configId/sources`,
    schema: {
      tags,
      summary: 'Make a source; a name that the config has already is answered by that one.',
      params: ofConfig,
      body: z.object({ name: z.string().trim().min(1).max(100) }),
      response: { 200: z.object({ data: source }), 201: z.object({ data: source }) },
    },
    handler: async (request, reply) => {
      const { accountId } = request.client;
      const programId = await programOf(api, request, request.params.configId);
      const name = request.body.name.normalize('NFC');
      const named = async () =>
        (await requestSources(api.db, accountId, { programId })).find(
          (one) => one.name === name && one.is_active,
        );
      const known = await named();
      if (known) return reply.status(200).send({ data: show(known) });
      const isNew = await createRequestSource(api.db.sql, accountId, { programId, name }, api.clock());
      return reply.status(isNew ? 201 : 200).send({ data: show((await named())!) });
    },
  });
}

function isWanted(wanted: 'true' | 'false' | undefined) {
  return (one: { isActive: boolean }) => wanted === undefined || String(one.isActive) === wanted;
}

/** The programme that a config is. Raises `not-found`. */
async function programOf(api: ApiContext, request: FastifyRequest, configId: string): Promise<string> {
  await ownBusiness(api, request);
  const found = await api.db.sql
    .selectFrom('program')
    .select('id')
    .where('account_id', '=', request.client.accountId)
    .where('id', '=', idIn(configId, 'Config'))
    .executeTakeFirst();
  if (!found) throw new ApiFault('not-found', 'Config not found');
  return found.id;
}

function show({ id, name, is_active: isActive }: SourceView): z.infer<typeof source> {
  return { id, name, isActive };
}
