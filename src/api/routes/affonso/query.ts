import { z } from 'zod';
import { ApiFault } from '../../fault.ts';
import { affiliatesNamed } from '../../reads/affiliates.ts';
import type { NumberedPage } from '../../reads/commissions.ts';
import { Identities } from '../../reads/identities.ts';
import { common, type Moments, momentsBetween } from '../../reads/moments.ts';
import type { ApiContext } from '../../server.ts';

/** When what is listed was created, in the words of both generations of clients. */
export const moments = {
  created_gte: z.string().optional().describe('ISO 8601; on or after this moment.'),
  created_lte: z
    .string()
    .optional()
    .describe('ISO 8601; on or before this moment; a date alone is the whole day.'),
  dateFrom: z.string().optional().describe('The same as created_gte.'),
  dateTo: z.string().optional().describe('The same as created_lte.'),
};

const orders = [
  'createdAt:asc',
  'createdAt:desc',
  'created_at:asc',
  'created_at:desc',
  'asc',
  'desc',
] as const;

/** A list in numbered pages. */
export const numbered = {
  page: z.coerce.number<string>().int().min(1).max(1_000_000).default(1),
  limit: z.coerce.number<string>().int().min(1).max(200).default(50),
  sort: z.enum(orders).default('createdAt:desc'),
  ...moments,
};

export const pagination = z.object({
  page: z.int(),
  limit: z.int(),
  total: z.int(),
  total_pages: z.int(),
  has_next_page: z.boolean(),
  has_prev_page: z.boolean(),
});

export function showPagination(page: number, limit: number, total: number): z.infer<typeof pagination> {
  const pages = Math.ceil(total / limit);
  return {
    page,
    limit,
    total,
    total_pages: pages,
    has_next_page: page < pages,
    has_prev_page: page > 1 && total > 0,
  };
}

export function pageOf(query: { page: number; limit: number; sort: (typeof orders)[number] }): NumberedPage {
  return { page: query.page, limit: query.limit, order: query.sort.endsWith('asc') ? 'asc' : 'desc' };
}

/** The span of time that a query asks for; all that it says must hold. Raises `invalid` for what is no moment. */
export function momentsOf(
  query: Partial<Record<keyof typeof moments, string | undefined>>,
  zone: string,
): Moments {
  const spans = (
    [
      ['created_gte', 'created_lte'],
      ['dateFrom', 'dateTo'],
    ] as const
  ).map(([from, to]) => {
    const found = momentsBetween(query[from], query[to], zone);
    if (typeof found !== 'string') return found;
    throw invalid(found === 'from' ? from : to, 'must be a date and time of ISO 8601.');
  });
  return common(spans);
}

/** What a comma-separated parameter names, of what it may name. */
export function listOf<Value extends string>(values: readonly [Value, ...Value[]]) {
  return z
    .string()
    .optional()
    .transform((text) =>
      (text ?? '')
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .pipe(z.array(z.enum(values)))
    .describe(`Comma-separated: ${values.join(', ')}.`);
}

/** No row has it. */
const nobody = '00000000-0000-0000-0000-000000000000';

/** The affiliate that a filter means; an id that nobody has finds nothing. Raises `invalid` where several are meant. */
export async function affiliateFilter(
  api: ApiContext,
  accountId: number,
  name: string | undefined,
): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const ids = await affiliatesNamed(api.db, accountId, name);
  if (ids.length > 1) throw invalid('affiliate_id', 'means several affiliates; give the id of one.');
  return ids[0] ?? nobody;
}

/** The referral that an id of ours or of the upstream means, if there is one. */
export async function referralNamed(
  api: ApiContext,
  accountId: number,
  text: string,
): Promise<string | undefined> {
  const identifiers = [{ kind: 'referral' as const, value: text.trim() }];
  const { referrals } = await new Identities(api.db).find({ accountId, externalId: undefined, identifiers });
  return referrals[0]?.referral.id;
}

export async function referralFilter(
  api: ApiContext,
  accountId: number,
  text: string | undefined,
): Promise<string | undefined> {
  return text === undefined ? undefined : ((await referralNamed(api, accountId, text)) ?? nobody);
}

export function invalid(field: string, message: string): ApiFault {
  return new ApiFault('invalid', `${field}: ${message}`, { details: [{ field, message }] });
}
