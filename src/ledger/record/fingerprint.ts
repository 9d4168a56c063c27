import { type RawBuilder, sql } from 'kysely';

/**
 * The facts of a sale as one value: affiliate, amount, currency, when (unless nobody said) and products. `row` is
 * an alias over stage or conversion. The session's zone and date style are pinned, so the text is the same for ever.
 */
export function fingerprint(row: RawBuilder<unknown>, affiliateId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`md5(concat(${affiliateId}, '|', ${row}.amount, '|', ${row}.currency, '|',
    case when ${row}.occurred_at_given then ${row}.occurred_at end, '|', ${row}.product_ids))::uuid`;
}
