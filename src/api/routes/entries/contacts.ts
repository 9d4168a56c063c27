import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { createContact, foldPhone } from '../../../db/contacts.ts';
import { ApiFault } from '../../fault.ts';
import { type ContactView, pageOfContacts } from '../../reads/contacts.ts';
import type { ApiContext } from '../../server.ts';
import { businessParams, ownBusiness } from './business.ts';
import { paged, pageOf, paging } from './paging.ts';

const url = '/api/v1/businesses/:businessId/contacts';
const tags = ['Conversion entries'];

const contact = z.object({
  id: z.string(),
  businessId: z.string(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  source: z.string().nullable(),
  customFields: z.record(z.string(), z.unknown()),
  createdAt: z.string(),
  updatedAt: z.string(),
});

const text = z
  .string()
  .trim()
  .max(255)
  .nullish()
  .transform((value) => value || undefined);

const body = z.object({
  email: text
    .refine((value) => value === undefined || /^[^@\s]+@[^@\s]+$/.test(value), 'is no e-mail address')
    .describe('Trimmed; compared without regard to case.'),
  phone: text
    .refine((value) => value === undefined || foldPhone(value) !== null, 'has no digits')
    .describe('Compared by its digits.'),
  firstName: text,
  lastName: text,
  source: text.describe('Where it comes from, in the client’s words.'),
});

const query = z.object({
  ...paging,
  email: z.string().max(255).optional(),
  phone: z.string().max(255).optional(),
});

/** The people behind conversion entries. */
export function contacts(app: FastifyInstance, api: ApiContext): void {
  const typed = app.withTypeProvider<ZodTypeProvider>();
  typed.route({
    method: 'GET',
    url,
    schema: {
      tags,
      summary: 'Contacts, the oldest first; of one e-mail address or telephone number.',
      params: businessParams,
      querystring: query,
      response: { 200: pageOf(contact) },
    },
    handler: async (request) => {
      const business = await ownBusiness(api, request);
      const { rows, total } = await pageOfContacts(
        api.db,
        request.client.accountId,
        request.query,
        request.query,
      );
      return paged(
        rows.map((row) => show(row, business.id)),
        request.query,
        total,
      );
    },
  });
  typed.route({
    method: 'POST',
    url,
    schema: {
      tags,
      summary:
        'Make a contact; one whose e-mail address is known is answered by that one, and gives it what it lacks.',
      params: businessParams,
      body,
      response: { 200: z.object({ data: contact }), 201: z.object({ data: contact }) },
    },
    handler: async (request, reply) => {
      const business = await ownBusiness(api, request);
      const { accountId } = request.client;
      if ((request.body.email ?? request.body.phone) === undefined)
        throw new ApiFault('invalid', 'email or phone is required.');
      const { id, isNew } = await createContact(api.db.sql, accountId, request.body, api.clock());
      const { rows } = await pageOfContacts(api.db, accountId, { id }, { page: 1, limit: 1 });
      return reply.status(isNew ? 201 : 200).send({ data: show(rows[0]!, business.id) });
    },
  });
}

function show(row: ContactView, businessId: string): z.infer<typeof contact> {
  return {
    id: row.id,
    businessId,
    email: row.email,
    phone: row.phone,
    firstName: row.first_name,
    lastName: row.last_name,
    source: row.source,
    customFields: row.custom_fields,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}
