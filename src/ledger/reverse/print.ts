import { type RawBuilder, sql } from 'kysely';

/** An SQL expression: the fingerprint of what the staged refund `row` says, as its conflict keeps it. */
export function refundPrint(row: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`substring(sha256(textsend(${row}.external_id) || int8send(${row}.amount) || textsend(${row}.currency)
    || textsend(${row}.sale_external_id)
    || timestamptz_send(case when ${row}.occurred_at_given then ${row}.occurred_at else 'infinity' end)) for 16)`;
}
