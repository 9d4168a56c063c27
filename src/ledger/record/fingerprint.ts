import { type RawBuilder, sql } from 'kysely';

/**
 * The facts of a sale as one value: affiliate, amount, currency, when (unless nobody said) and products. `row` is
 * an alias over stage or conversion. It is made of the values' binary forms, which no setting of a session changes;
 * all but the last have a fixed length, so that no two sets of facts run into the same bytes.
 */
export function fingerprint(row: RawBuilder<unknown>, affiliateId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`md5(uuid_send(${affiliateId}) || int8send(${row}.amount) || textsend(${row}.currency)
    || timestamptz_send(case when ${row}.occurred_at_given then ${row}.occurred_at else 'infinity' end)
    || textsend(coalesce(${row}.product_ids::text, '')))::uuid`;
}
