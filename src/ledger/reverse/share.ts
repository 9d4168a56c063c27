import { type RawBuilder, sql } from 'kysely';

/**
 * An SQL expression: the part of commission `o` (amount and rounding) that is taken back once `refunded` of a sale of
 * `sale` was refunded: commission times refunded over sale, rounded once by the commission's own rule. In numeric,
 * because the product may not fit 64 bits; whole numbers only, so that nothing is rounded twice. `corrected` is what
 * corrections have added to the commission.
 */
export function share(
  refunded: RawBuilder<unknown>,
  sale: RawBuilder<unknown>,
  corrected: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const product = sql`((o.amount::numeric + ${corrected}) * ${refunded})`;
  const twice = sql`(2 * mod(${product}, ${sale}))`;
  return sql`(div(${product}, ${sale}) + case
    when ${twice} > ${sale} then 1
    when ${twice} = ${sale} and (o.rounding = 'half_up' or mod(div(${product}, ${sale}), 2) = 1) then 1
    else 0 end)::bigint`;
}

/** An SQL expression: what corrections have added to what commission `o` earns; zero where there are none. */
export function correctedOf(accountId: number): RawBuilder<unknown> {
  return sql`(select coalesce(sum(earned), 0) from correction where account_id = ${accountId} and conversion_id = o.id)`;
}
