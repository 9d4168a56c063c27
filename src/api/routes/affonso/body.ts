import { z } from 'zod';
import { readId } from '../../../ids.ts';
import type { Identifiers } from '../../../ledger/link.ts';
import type { Identifier, Named } from '../../reads/identities.ts';

const text = z.string().nullish();

/** How a body may name the referral; the names in camelCase are those of older clients. */
const identifiers = {
  referral_id: text.describe('An id of ours, or the upstream’s own.'),
  customer_id: text,
  external_user_id: text,
  click_id: text,
  referralId: text,
  affonso_id: text,
  affonsoId: text,
  affonso_referral: text,
  affonsoReferral: text,
  clickId: text,
};

const sale = {
  external_event_id: text,
  sale_amount_currency: text.describe('ISO 4217.'),
  product_ids: z.array(z.string()).nullish(),
  price_ids: z.array(z.string()).nullish(),
  interval: text.describe('monthly or yearly.'),
  is_subscription: z.boolean().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  status: text.describe(
    'Refused, unless the key has the scope "status": then pending, or ready_for_payment for no hold.',
  ),
  sales_status: z.enum(['open', 'complete', 'trialing', 'failed']).nullish(),
};

export const eventBody = z.looseObject({
  event_name: z.string(),
  event_type: z
    .enum(['conversion', 'lead', 'trial', 'milestone'])
    .nullish()
    .describe('milestone unless said.'),
  ...identifiers,
  occurred_at: text.describe('ISO 8601.'),
  sale_amount: z.number().nullish().describe('Major units; of a conversion.'),
  ...sale,
});

export const conversionBody = z.looseObject({
  ...identifiers,
  sale_amount: z.number().describe('Major units.'),
  ...sale,
  external_event_id: z.string(),
  sale_amount_currency: text.describe('ISO 4217; that of the source or its programme unless said.'),
  created_at: text.describe('ISO 8601; when the sale occurred.'),
});

const aliases: Record<string, string[]> = {
  referral_id: ['referralId', 'affonso_id', 'affonsoId', 'affonso_referral', 'affonsoReferral'],
  click_id: ['clickId'],
};

const kinds: Record<string, Identifier['kind']> = { referral_id: 'referral', click_id: 'click' };

/** A body whose identifiers have their present names, and what its further aliases say that do not say the same. */
export function unaliased(body: Record<string, unknown>): {
  body: Record<string, unknown>;
  others: Identifier[];
} {
  const renamed = { ...body };
  const others: Identifier[] = [];
  for (const [name, older] of Object.entries(aliases)) {
    const values = [name, ...older].flatMap((one) => {
      const value = body[one];
      return typeof value === 'string' && value.trim() !== '' ? [value.trim()] : [];
    });
    renamed[name] = values[0];
    for (const value of new Set(values.slice(1)))
      if (value !== values[0]) others.push({ kind: kinds[name]!, value });
  }
  return { body: renamed, others };
}

const columns = {
  referral: 'ref',
  customer: 'customer_id',
  user: 'external_user_id',
  click: 'click_id',
} as const;
const learned = {
  referral: 'ref',
  customer: 'customerId',
  user: 'externalUserId',
  click: 'clickId',
} as const;

/**
 * The one referral that all identifiers of a request name, and what it learns by those that nobody has yet; `several` where
 * they do not name the same, undefined where none of them is known.
 */
export function referralOf(
  identifiers: Identifier[],
  { referrals }: Named,
): { id: string; learns: Identifiers | undefined } | 'several' | undefined {
  const [first] = referrals;
  if (!first) return undefined;
  const { referral } = first;
  if (referrals.some((one) => one.referral.id !== referral.id)) return 'several';
  const isKnown = ({ kind, value }: Identifier) =>
    referrals.some((one) => one.kind === kind && one.value === value);
  const learns: Identifiers = {};
  for (const one of identifiers.filter((each) => !isKnown(each))) {
    const own = referral[columns[one.kind]];
    // Their referral ids are the upstream's to give: an unknown one is no further name of a referral that has one.
    if (one.kind === 'referral' && (own !== null || readId(one.value)?.noun === 'referral')) return 'several';
    if (own === null) learns[learned[one.kind]] = one.value;
  }
  return { id: referral.id, learns: Object.keys(learns).length > 0 ? learns : undefined };
}
