import { type RawBuilder, sql } from 'kysely';

/** Where the facts of the other version stand: `row` has amount, currency, occurred_at and occurred_at_given. */
export interface Facts {
  affiliateId: RawBuilder<unknown>;
  affiliateRef: RawBuilder<unknown>;
  row: RawBuilder<unknown>;
  productIds: RawBuilder<unknown>;
}

/**
 * An SQL expression: in which facts another version of conversion `c`, whose affiliate is `ours`, differs from it, field
 * by field with both values; amounts in minor units. Empty where the facts are the same.
 */
export function difference({ affiliateId, affiliateRef, row, productIds }: Facts): RawBuilder<unknown> {
  return sql`jsonb_strip_nulls(jsonb_build_object(
    'affiliate', case when c.affiliate_id <> ${affiliateId} then jsonb_build_object('ours', ours.ref, 'theirs', ${affiliateRef}) end,
    'amount', case when c.amount <> ${row}.amount then jsonb_build_object('ours', c.amount::text, 'theirs', ${row}.amount::text) end,
    'currency', case when c.currency <> ${row}.currency then jsonb_build_object('ours', c.currency, 'theirs', ${row}.currency) end,
    'occurred_at', case when c.occurred_at <> ${row}.occurred_at and c.occurred_at_given and ${row}.occurred_at_given
      then jsonb_build_object('ours', c.occurred_at, 'theirs', ${row}.occurred_at) end,
    'product_ids', case when c.product_ids is distinct from ${productIds}
      then jsonb_build_object('ours', coalesce(c.product_ids, '{}'), 'theirs', coalesce(${productIds}, '{}')) end
  ))`;
}
