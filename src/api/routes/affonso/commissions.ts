import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readId, showId } from '../../../ids.ts';
import { ApiFault } from '../../fault.ts';
import { affiliatesOf } from '../../reads/affiliates.ts';
import {
  type CommissionView,
  commissionStatuses,
  commissionsOf,
  pageOfCommissions,
} from '../../reads/commissions.ts';
import { referralsOf } from '../../reads/referrals.ts';
import type { ApiContext } from '../../server.ts';
import { sourceOf } from '../../source.ts';
import {
  affiliateObject,
  commissionObject,
  referralObject,
  salesStatus,
  showAffiliate,
  showCommission,
  showReferral,
  succeeded,
} from './objects.ts';
import {
  affiliateFilter,
  listOf,
  momentsOf,
  numbered,
  pageOf,
  pagination,
  referralFilter,
  showPagination,
} from './query.ts';

const expand = listOf(['affiliate', 'affiliate_program', 'referral']);

const query = z.object({
  ...numbered,
  affiliate_id: z.string().optional(),
  referral_id: z.string().optional(),
  status: z.enum(commissionStatuses).optional(),
  sales_status: salesStatus.optional(),
  expand,
});

const programObject = z.object({ id: z.string(), name: z.string(), currency: z.string() });

const listed = commissionObject.extend({
  earning_id: z.string().nullable(),
  earning_type: z.literal('direct_commission').nullable(),
  affiliate: affiliateObject.nullable().optional(),
  affiliate_program: programObject.nullable().optional(),
  referral: referralObject.nullable().optional(),
});

/** `GET /v1/commissions` and one of them: each is a sale, with what it earns after refunds. */
export function commissions(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/v1/commissions',
    schema: {
      querystring: query,
      response: { 200: succeeded(z.array(listed)).extend({ pagination }) },
    },
    handler: async (request, reply) => {
      const { accountId } = request.client;
      const { query } = request;
      const { program } = await sourceOf(api, request.client);
      const filter = {
        ...momentsOf(query, program.timezone),
        status: query.status,
        salesStatus: query.sales_status,
        affiliateId: await affiliateFilter(api, accountId, query.affiliate_id),
        referralId: await referralFilter(api, accountId, query.referral_id),
      };
      const { rows, total } = await pageOfCommissions(api.db, accountId, filter, pageOf(query));
      const data = await shown(api, accountId, rows, query.expand);
      return reply.send({ success: true, data, pagination: showPagination(query.page, query.limit, total) });
    },
  });
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/v1/commissions/:id',
    schema: {
      params: z.object({ id: z.string() }),
      querystring: z.object({ expand }),
      response: { 200: succeeded(listed) },
    },
    handler: async (request, reply) => {
      const { accountId } = request.client;
      const read = readId(request.params.id);
      const isOne = read && [undefined, 'commission', 'conversion'].includes(read.noun);
      const rows = isOne ? await commissionsOf(api.db, accountId, [read.id]) : [];
      const earning = rows.filter((row) => row.earned_amount !== null);
      const [data] = await shown(api, accountId, earning, request.query.expand);
      if (!data) throw new ApiFault('not-found', 'Commission not found');
      return reply.send({ success: true, data });
    },
  });
}

async function shown(
  api: ApiContext,
  accountId: number,
  rows: CommissionView[],
  expand: string[],
): Promise<z.infer<typeof listed>[]> {
  const { db } = api;
  const wanted = (what: string, ids: (string | null)[]) =>
    expand.includes(what) ? [...new Set(ids.filter((id) => id !== null))] : [];
  const [affiliates, referrals, programs] = await Promise.all([
    affiliatesOf(
      db,
      accountId,
      wanted(
        'affiliate',
        rows.map((row) => row.affiliate_id),
      ),
    ),
    referralsOf(
      db,
      accountId,
      wanted(
        'referral',
        rows.map((row) => row.referral_id),
      ),
    ),
    programsOf(
      api,
      accountId,
      wanted(
        'affiliate_program',
        rows.map((row) => row.program_id),
      ),
    ),
  ]);
  const affiliateOf = new Map(affiliates.map((one) => [one.id, one]));
  const referralOf = new Map(referrals.map((one) => [one.id, one]));
  return rows.map((row) => {
    const affiliate = affiliateOf.get(row.affiliate_id);
    const referral = referralOf.get(row.referral_id ?? '');
    const program = programs.find((one) => one.id === row.program_id);
    return {
      ...showCommission(row),
      earning_id: showId('commission', row.id),
      earning_type: 'direct_commission',
      ...(expand.includes('affiliate') && {
        affiliate: affiliate ? showAffiliate(affiliate, row.program_id) : null,
      }),
      ...(expand.includes('affiliate_program') && {
        affiliate_program: program ? { ...program, id: showId('program', program.id) } : null,
      }),
      ...(expand.includes('referral') && { referral: referral ? showReferral(referral) : null }),
    };
  });
}

async function programsOf({ db }: ApiContext, accountId: number, ids: string[]) {
  if (ids.length === 0) return [];
  return db.sql
    .selectFrom('program')
    .select(['id', 'name', 'currency'])
    .where('account_id', '=', accountId)
    .where('id', 'in', ids)
    .execute();
}
