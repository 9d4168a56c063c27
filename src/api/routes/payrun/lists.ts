import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Session } from '../../../db/connect.ts';
import { type Page, readPage } from '../../../db/pages.ts';
import { type Noun, readId, showId } from '../../../ids.ts';
import { importView, listImports, viewImport } from '../../../imports/import.ts';
import { listAffiliates } from '../../../ledger/affiliates.ts';
import { pageConflicts } from '../../../ledger/conflicts.ts';
import { affiliateView, conflictView, viewAffiliate, viewConflict } from '../../../ledger/views.ts';
import {
  batchView,
  listBatches,
  pagePayouts,
  payoutView,
  viewBatch,
  viewPayout,
} from '../../../payouts/payout.ts';
import { listRuns } from '../../../runs/history.ts';
import { runView, viewRun } from '../../../runs/views.ts';
import { ApiFault } from '../../fault.ts';
import type { ApiContext } from '../../server.ts';

const mostRows = 200;

const paging = z.object({
  limit: z.coerce.number().int().min(1).max(mostRows).default(50).describe('Rows of a page, at most 200.'),
  cursor: z.string().max(255).optional().describe('`next` of the page before.'),
});

/** A list of Payrun's own: its rows in keyset pages, each as a view. */
interface List<Query extends z.ZodObject, View extends z.ZodType> {
  noun: string;
  summary: string;
  /** The filters, beside `limit` and `cursor`. */
  query: Query;
  view: View;
  page(
    session: Session,
    accountId: number,
    query: z.infer<Query> & { limit: number; cursor?: string | undefined },
  ): Promise<Page<z.infer<View>>>;
}

/** Adds the lists; all of them read in one snapshot. */
export function lists(app: FastifyInstance, api: ApiContext): void {
  const add = <Query extends z.ZodObject, View extends z.ZodType>(list: List<Query, View>) =>
    app.withTypeProvider<ZodTypeProvider>().route({
      method: 'GET',
      url: `/payrun/v1/${list.noun}`,
      schema: {
        tags: ['Payrun'],
        summary: list.summary,
        querystring: list.query.extend(paging.shape),
        response: { 200: z.object({ data: z.array(list.view), next: z.string().nullable() }) },
      },
      handler: async (request) => {
        const query = request.query as z.infer<Query> & z.infer<typeof paging>;
        const { accountId } = request.client;
        const read = (session: Session) => list.page(session, accountId, query);
        const { rows, next } = await api.db.transaction(read, { snapshot: true });
        return { data: rows, next } as never;
      },
    });

  add({
    noun: 'affiliates',
    summary: 'Affiliates by ref, with their balances by currency and state.',
    query: z.object({
      status: affiliateView.shape.status.optional(),
      program: z.string().optional().describe('The ref of a programme in which they have earned something.'),
      search: z.string().max(255).optional().describe('A part of ref, name, short code or e-mail address.'),
    }),
    view: affiliateView,
    page: async (session, accountId, { cursor: after, limit, ...filter }) => {
      const { rows, next } = await listAffiliates(session, accountId, filter, { after, limit });
      return { rows: rows.map(viewAffiliate), next };
    },
  });
  add({
    noun: 'payouts',
    summary: 'Payouts, newest first; without bank details.',
    query: z.object({
      status: payoutView.shape.status.optional(),
      affiliate_id: z.string().optional(),
      batch_id: z.string().optional(),
    }),
    view: payoutView,
    page: async (session, accountId, { cursor, limit, status, affiliate_id, batch_id }) => {
      const choice = {
        status,
        limit,
        after: idOf('payout', cursor),
        affiliateId: idOf('affiliate', affiliate_id),
        batchId: idOf('batch', batch_id),
      };
      return shown('payout', await pagePayouts(session, accountId, choice), viewPayout);
    },
  });
  add({
    noun: 'batches',
    summary: 'Payout batches, newest first.',
    query: z.object({ status: batchView.shape.status.optional() }),
    view: batchView,
    page: async (session, accountId, { cursor, limit, status }) => {
      const after = idOf('batch', cursor);
      const read = (atMost: number) => listBatches(session.sql, accountId, { status, after, limit: atMost });
      return shown('batch', await readPage({ limit }, ({ batchId }) => batchId, read), viewBatch);
    },
  });
  add({
    noun: 'runs',
    summary: 'Runs, newest first: those that are no steps of another, or those of one job.',
    query: z.object({ job: z.string().max(255).optional() }),
    view: runView,
    page: async (_, accountId, { cursor, limit, job }) => {
      const after = idOf('run', cursor);
      const read = (atMost: number) => listRuns(api.db, accountId, { job, after, limit: atMost });
      return shown('run', await readPage({ limit }, ({ id }) => id, read), viewRun);
    },
  });
  add({
    noun: 'imports',
    summary: 'Imports, newest first.',
    query: z.object({
      open_rejects: z
        .enum(['true', 'false'])
        .optional()
        .describe('`true`: those alone with rejected rows that nobody has corrected.'),
    }),
    view: importView,
    page: async (session, accountId, { cursor, limit, open_rejects }) => {
      const choice = { isOpen: open_rejects === 'true', after: idOf('import', cursor) };
      const read = (atMost: number) => listImports(session.sql, accountId, { ...choice, limit: atMost });
      return shown('import', await readPage({ limit }, ({ id }) => id, read), viewImport);
    },
  });
  add({
    noun: 'conflicts',
    summary: 'Sales that came again with other facts, newest first.',
    query: z.object({ status: conflictView.shape.status.optional() }),
    view: conflictView,
    page: async (session, accountId, { cursor, limit, status }) => {
      const after = idOf('conflict', cursor);
      const read = (atMost: number) =>
        pageConflicts(session.sql, accountId, { status, after, limit: atMost });
      return shown('conflict', await readPage({ limit }, ({ id }) => id, read), viewConflict);
    },
  });
}

/** The UUID of an id in either form; undefined where none is given. Raises `invalid` for what is no such id. */
function idOf(noun: Noun, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const id = readId(text);
  if (id && (id.noun === noun || id.noun === undefined)) return id.id;
  throw new ApiFault('invalid', `This is no id of a ${noun}.`);
}

function shown<Row, View>(noun: Noun, { rows, next }: Page<Row>, view: (row: Row) => View): Page<View> {
  return { rows: rows.map(view), next: next === null ? null : showId(noun, next) };
}
