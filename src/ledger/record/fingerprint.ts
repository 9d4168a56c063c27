import { type RawBuilder, sql } from 'kysely';

/**
 * The facts of staged row `s` with terms `t` as one value: affiliate, amount, when (unless nobody said), currency and
 * products. It is made of the values' binary forms, which no setting of a session changes; all but the last have a
 * fixed length, so that no two sets of facts run into the same bytes. Half of a SHA-256 tells them apart.
 */
export function fingerprint(affiliateId: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`substring(sha256(uuid_send(${affiliateId}) || int8send(s.amount)
    || timestamptz_send(case when s.occurred_at_given then s.occurred_at else 'infinity' end)
    || textsend(s.currency) || t.products) for 16)`;
}
