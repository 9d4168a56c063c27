import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newId } from '../../../ids.ts';
import { type ReadEntry, readEntry } from '../../../imports/requests.ts';
import { ApiFault } from '../../fault.ts';
import { hasContact } from '../../reads/contacts.ts';
import { pageOfEntries } from '../../reads/entries.ts';
import { requestSources, type SourceView } from '../../reads/request-sources.ts';
import { type ApiContext, accountOf } from '../../server.ts';
import { businessParams, idIn, ownBusiness } from './business.ts';
import { madeEntry, showMade } from './objects.ts';

const amount = z.number().nonnegative().nullish();

const entry = z.object({
  sourceId: z.string().describe('The source to which the entry belongs.'),
  contactId: z.string().describe('The contact who has bought something.'),
  eventValue: amount.describe(
    'What was sold, in major units; without it, or with 0, the entry moves no money.',
  ),
  currency: z.string().length(3).nullish().describe('ISO 4217; else that of the source, or USD.'),
  expense: amount.describe('What it cost, in major units.'),
  occurredAt: z.string().max(64).nullish().describe('ISO 8601; now unless said.'),
  data: z
    .record(z.string(), z.unknown())
    .nullish()
    .describe('The source’s own keys; its field_mappings in payrun.json turn them into fields.'),
});

/** Takes conversion entries in: direct, mapped, and both. */
export function makeEntries(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'POST',
    url: '/api/v1/businesses/:businessId/conversions/entries',
    schema: {
      tags: ['Conversion entries'],
      summary: 'Send an entry; the affiliate who brought its contact is credited, as soon as one is known.',
      params: businessParams,
      headers: z.looseObject({
        'idempotency-key': z
          .string()
          .trim()
          .min(1)
          .max(255)
          .optional()
          .describe('A request with a key that was sent before is answered by the entry that it made.'),
      }),
      body: entry,
      response: { 201: z.object({ data: madeEntry }) },
    },
    handler: async (request, reply) => {
      const business = await ownBusiness(api, request);
      const { accountId, key } = request.client;
      const contactId = idIn(request.body.contactId, 'Contact');
      const [source, isThere] = await Promise.all([
        sourceOf(api, accountId, request.body.sourceId),
        hasContact(api.db, accountId, contactId),
      ]);
      if (!isThere) throw new ApiFault('not-found', 'Contact not found');
      const { contact, customFields, ...read } = await readBody(api, request, request.body, source);
      const { verdict, entryId } = await api.door.entry(
        {
          accountId,
          sourceId: source.is_of_config ? source.id : null,
          // No ref has a slash, so that a client's name is never one of payrun.json.
          name: source.is_of_config ? source.name : `${source.program_ref}/${source.name}`,
        },
        source.program_id,
        {
          ...read,
          id: newId(api.clock()),
          sourceId: source.id,
          contactId,
          keyId: key.id,
          idempotencyKey: request.headers['idempotency-key'],
          fields: { ...contact, customFields },
        },
      );
      if (verdict === 'conflict')
        throw new ApiFault('conflict', 'There is an entry of this id already, and it says something else.');
      const { rows } = await pageOfEntries(
        api.db,
        accountId,
        { id: entryId },
        { page: 1, limit: 1, order: 'asc' },
      );
      if (verdict === 'repeated') reply.header('idempotent-replayed', 'true');
      return reply.status(201).send({ data: showMade(rows[0]!, business.id) });
    },
  });
}

/** The active source of an id. Raises `not-found`. */
async function sourceOf(api: ApiContext, accountId: number, text: string): Promise<SourceView> {
  const [source] = await requestSources(api.db, accountId, { id: idIn(text, 'Source') });
  if (!source?.is_active) throw new ApiFault('not-found', 'Source not found');
  return source;
}

async function readBody(
  api: ApiContext,
  request: FastifyRequest,
  body: z.infer<typeof entry>,
  source: SourceView,
): Promise<ReadEntry> {
  const { sources } = accountOf(api, request.client);
  const settings = source.is_of_config ? sources.find(({ ref }) => ref === source.name) : undefined;
  const read = await readEntry(
    {
      eventValue: request.numbers.get('eventValue'),
      expense: request.numbers.get('expense'),
      currency: body.currency ?? undefined,
      occurredAt: body.occurredAt ?? undefined,
      data: body.data ?? undefined,
      numbers: request.innerNumbers.get('data'),
    },
    {
      workspace: api.config.workspace,
      program: source,
      timezone: settings?.timezone,
      currency: settings?.defaults?.currency,
      idPrefix: settings?.id_prefix ?? '',
      mappings: settings?.field_mappings ?? {},
      receivedAt: api.clock(),
    },
  );
  if (!('fault' in read)) return read;
  throw new ApiFault('invalid', read.fault.message, { details: [read.fault] });
}
