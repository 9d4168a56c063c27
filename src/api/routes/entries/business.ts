import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { readId } from '../../../ids.ts';
import { ApiFault } from '../../fault.ts';
import type { ApiContext } from '../../server.ts';

export const businessParams = z.object({ businessId: z.string().describe('The account’s UUID.') });

/** The business of a request, that is the account of its key. */
export interface Business {
  id: string;
  name: string;
}

export async function businessOf(api: ApiContext, request: FastifyRequest): Promise<Business> {
  return api.db.sql
    .selectFrom('account')
    .select(['id', 'name'])
    .where('account_id', '=', request.client.accountId)
    .executeTakeFirstOrThrow();
}

/** The business that an address names. Raises `not-found` for any but the key's own. */
export async function ownBusiness(api: ApiContext, request: FastifyRequest): Promise<Business> {
  const { businessId } = request.params as z.infer<typeof businessParams>;
  const business = await businessOf(api, request);
  if (readId(businessId)?.id !== business.id) throw new ApiFault('not-found', 'Business not found');
  return business;
}

/** The UUID of an id in an address or a body. Raises `not-found` for what is no id, as nothing has it. */
export function idIn(text: string, what: string): string {
  const id = readId(text);
  if (id) return id.id;
  throw new ApiFault('not-found', `${what} not found`);
}
