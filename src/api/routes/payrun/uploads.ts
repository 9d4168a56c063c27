import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { showId } from '../../../ids.ts';
import { type ImportOutcome, importFile, viewImported } from '../../../imports/import.ts';
import { executeRun } from '../../../runs/run.ts';
import { ApiFault } from '../../fault.ts';
import type { ApiContext } from '../../server.ts';

const query = z.object({
  kind: z.enum(['sales', 'events', 'affiliates', 'referrals']),
  file: z.string().min(1).max(255).describe('The name of the file, for those who look at the import later.'),
  source: z.string().max(255).optional().describe('A source of payrun.json; else the one that fits.'),
  plan: z.string().max(40).optional().describe('The code that the dry run has ended with.'),
});

/** A file as it comes: its bytes, whatever their type. */
const anyType = /^(?!application\/json)/;

/**
 * Adds `POST /payrun/v1/imports`: without a plan the file is imported and all of it taken back, and the answer has the
 * code of a plan; with that code, and the same file, exactly that is done, as the command line does it.
 */
export function uploads(app: FastifyInstance, api: ApiContext): void {
  app.register(async (scope) => {
    scope.addContentTypeParser(anyType, async (_: unknown, payload: Readable) => payload);
    scope.withTypeProvider<ZodTypeProvider>().route({
      method: 'POST',
      url: '/payrun/v1/imports',
      schema: {
        tags: ['Payrun'],
        summary: 'Import a file: first as a dry run that ends with a plan, then by the code of that plan.',
        description:
          'The body is the file, in any content type but application/json; .gz, .zip and .xlsx as they are.',
        querystring: query,
        response: { 200: z.record(z.string(), z.unknown()), 201: z.record(z.string(), z.unknown()) },
      },
      handler: async (request, reply) => {
        const { kind, file: name, source, plan } = request.query;
        if (!isStream(request.body)) throw new ApiFault('invalid', 'The body must be the file.');
        const isDryRun = plan === undefined;
        const { accountId: id, accountRef: ref, key } = request.client;
        const aborted = new AbortController();
        request.raw.once('close', () => {
          if (!request.raw.complete) aborted.abort();
        });
        const spec = {
          job: 'import-file',
          parameters: {
            kind,
            file: name,
            key: showId('key', key.id),
            ...(source !== undefined && { source }),
          },
          asOf: api.clock(),
          dryRun: isDryRun,
        };
        const context = { ...api, signal: aborted.signal };
        const answer = await withFile(request.body, name, async (file) => {
          const result = await executeRun<ImportOutcome>(context, { id, ref }, spec, (work) =>
            importFile(work, { kind, file, source, plan }),
          );
          if (result.status === 'skipped') throw new Error('An upload has no slot.');
          const run = isDryRun ? null : showId('run', result.runId);
          return { ...viewImported({ run, dryRun: isDryRun, outcome: result.outcome }), file: name };
        });
        return reply.status(isDryRun ? 200 : 201).send(answer);
      },
    });
  });
}

function isStream(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body;
}

/** Lends the body as a file of this name, readable by the server alone. */
async function withFile<T>(body: Readable, name: string, work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'payrun-upload-'));
  try {
    const file = path.join(folder, path.basename(name).replaceAll('\0', '') || 'upload');
    await pipeline(body, createWriteStream(file, { mode: 0o600 }));
    return await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
