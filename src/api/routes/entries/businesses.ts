import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiContext } from '../../server.ts';
import { businessOf } from './business.ts';
import { pagedOf, pageOf, paging } from './paging.ts';

export function businesses(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/api/v1/businesses',
    schema: {
      tags: ['Conversion entries'],
      summary: 'The business of the key, which is the account.',
      querystring: z.object(paging),
      response: { 200: pageOf(z.object({ id: z.string(), name: z.string() })) },
    },
    handler: async (request) => {
      const { id, name } = await businessOf(api, request);
      return pagedOf([{ id, name }], request.query);
    },
  });
}
