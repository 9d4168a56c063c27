import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { minorRateOf } from '../../../money.ts';
import { exactNumber } from '../../exact.ts';
import { ApiFault } from '../../fault.ts';
import { affiliatesOf } from '../../reads/affiliates.ts';
import { pageOfReferrals, type ReferralView, referralsOf, sumsOfReferral } from '../../reads/referrals.ts';
import type { ApiContext } from '../../server.ts';
import { sourceOf } from '../../source.ts';
import {
  affiliateObject,
  referralObject,
  referralStatus,
  showAffiliate,
  showMoment,
  showReferral,
  succeeded,
} from './objects.ts';
import { affiliateFilter, invalid, listOf, moments, momentsOf, referralNamed } from './query.ts';

const query = z.object({
  limit: z.coerce.number<string>().int().min(1).max(100).default(10),
  starting_after: z.string().optional().describe('The id of the last referral of the page before.'),
  ending_before: z.string().optional().describe('The id of the first referral of the page behind.'),
  affiliate_id: z.string().optional(),
  order: z.enum(['asc', 'desc']).optional().describe('By when they were created; desc unless said.'),
  sort: z.enum(['createdAt:asc', 'createdAt:desc']).default('createdAt:desc'),
  status: referralStatus.optional(),
  ...moments,
  expand: listOf(['affiliate']),
});

const listed = referralObject.extend({ affiliate: affiliateObject.optional() });

const stats = z.object({
  total_revenue: z.number().describe('Without what was refunded, in the currency of the programme.'),
  total_commission: z.number(),
  total_orders: z.int(),
  last_order_at: z.string().nullable(),
});

/** `GET /v1/referrals` and one of them. */
export function referrals(app: FastifyInstance, api: ApiContext): void {
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/v1/referrals',
    schema: {
      querystring: query,
      response: { 200: succeeded(z.array(listed)).extend({ has_more: z.boolean() }) },
    },
    handler: async (request, reply) => {
      const { accountId } = request.client;
      const { query } = request;
      if (query.starting_after !== undefined && query.ending_before !== undefined)
        throw invalid('ending_before', 'can’t be given together with starting_after.');
      const { program } = await sourceOf(api, request.client);
      const filter = {
        ...momentsOf(query, program.timezone),
        status: query.status,
        affiliateId: await affiliateFilter(api, accountId, query.affiliate_id),
      };
      const found = await pageOfReferrals(api.db, accountId, filter, {
        limit: query.limit,
        order: query.order ?? (query.sort === 'createdAt:asc' ? 'asc' : 'desc'),
        after: await cursorOf(api, accountId, 'starting_after', query.starting_after),
        before: await cursorOf(api, accountId, 'ending_before', query.ending_before),
      });
      const { rows, hasMore } = found!;
      const expands = query.expand.includes('affiliate');
      const data = await shown(api, accountId, rows, expands);
      return reply.send({ success: true, data, has_more: hasMore });
    },
  });
  app.withTypeProvider<ZodTypeProvider>().route({
    method: 'GET',
    url: '/v1/referrals/:id',
    schema: {
      params: z.object({ id: z.string() }),
      querystring: z.object({ expand: listOf(['affiliate']), include: listOf(['stats']) }),
      response: { 200: succeeded(listed.extend({ stats: stats.optional() })) },
    },
    handler: async (request, reply) => {
      const { accountId } = request.client;
      const id = await referralNamed(api, accountId, request.params.id);
      const rows = id === undefined ? [] : await referralsOf(api.db, accountId, [id]);
      const [one] = await shown(api, accountId, rows, request.query.expand.includes('affiliate'));
      if (!one) throw new ApiFault('not-found', 'Referral not found');
      const isWanted = request.query.include.includes('stats');
      const data = isWanted ? { ...one, stats: await statsOf(api, accountId, rows[0]!) } : one;
      return reply.send({ success: true, data });
    },
  });
}

async function cursorOf(
  api: ApiContext,
  accountId: number,
  field: string,
  text: string | undefined,
): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const id = await referralNamed(api, accountId, text);
  if (id === undefined) throw invalid(field, 'is the id of no referral.');
  return id;
}

async function shown(
  api: ApiContext,
  accountId: number,
  rows: ReferralView[],
  expands: boolean,
): Promise<z.infer<typeof listed>[]> {
  if (!expands) return rows.map(showReferral);
  const ids = [...new Set(rows.map((row) => row.affiliate_id))];
  const byId = new Map((await affiliatesOf(api.db, accountId, ids)).map((one) => [one.id, one]));
  return rows.map((row) => {
    const affiliate = byId.get(row.affiliate_id);
    return {
      ...showReferral(row),
      ...(affiliate && { affiliate: showAffiliate(affiliate, row.program_id) }),
    };
  });
}

/** Sales in another currency count at the rates that their commissions were computed at; without one they are left out. */
async function statsOf(
  api: ApiContext,
  accountId: number,
  { id, program_id: programId }: ReferralView,
): Promise<z.infer<typeof stats>> {
  const program = await api.db.sql
    .selectFrom('program')
    .select('currency')
    .where('account_id', '=', accountId)
    .where('id', '=', programId)
    .executeTakeFirstOrThrow();
  const sums = await sumsOfReferral(api.db, accountId, id);
  const { currency } = program;
  const revenue = sums.reduce((sum, one) => {
    if (one.currency === currency) return sum + one.revenue;
    return one.fx_rate === null ? sum : sum + exchanged(one.revenue, one.fx_rate, one.currency, currency);
  }, 0n);
  const latest = Math.max(...sums.map((one) => one.last_at.getTime()));
  return {
    total_revenue: exactNumber(revenue, currency),
    total_commission: exactNumber(
      sums.reduce((sum, one) => sum + one.commission, 0n),
      currency,
    ),
    total_orders: sums.reduce((sum, one) => sum + one.orders, 0),
    last_order_at: sums.length === 0 ? null : showMoment(new Date(latest)),
  };
}

/** Minor units of `from` in those of `to`, rounded half up once. */
function exchanged(minor: bigint, rate: string, from: string, to: string): bigint {
  const [whole = '', decimals = ''] = minorRateOf(rate, from, to).split('.');
  const scale = 10n ** BigInt(decimals.length);
  return (2n * minor * BigInt(whole + decimals) + scale) / (2n * scale);
}
