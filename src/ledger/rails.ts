import { type RawBuilder, sql } from 'kysely';
import type { PayoutMethod } from '../db/tables.ts';

/** PayPal refuses decimals for these (its page on currencies), though ISO gives HUF and TWD two; JPY has none anyway. */
const wholeUnits: Partial<Record<PayoutMethod, Record<string, bigint>>> = {
  paypal: { HUF: 100n, TWD: 100n },
};

/** What a SEPA credit transfer and an ACH entry are in, by the rules of their schemes. */
const onlyCurrency: Partial<Record<PayoutMethod, string>> = { sepa: 'EUR', ach: 'USD' };

/** The least that the method can pay of this currency, and all of its amounts are multiples of it; in minor units. */
export function unitOf(method: PayoutMethod, currency: string): bigint {
  return wholeUnits[method]?.[currency] ?? 1n;
}

/** The only currency that the method carries; undefined where it carries any. */
export function onlyCurrencyOf(method: PayoutMethod): string | undefined {
  return onlyCurrency[method];
}

/** `unitOf` as an SQL expression of two columns. */
export function unitIn(method: RawBuilder<unknown>, currency: RawBuilder<unknown>): RawBuilder<unknown> {
  const cases = Object.entries(wholeUnits).flatMap(([name, units]) =>
    Object.entries(units).map(
      ([code, unit]) =>
        sql`when ${method} = ${sql.lit(name)} and ${currency} = ${sql.lit(code)} then ${sql.lit(Number(unit))}`,
    ),
  );
  return sql`case ${sql.join(cases, sql` `)} else 1 end`;
}

/** An SQL condition of two columns: the method does not carry the currency. */
export function isNotCarried(
  method: RawBuilder<unknown>,
  currency: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const cases = Object.entries(onlyCurrency).map(
    ([name, code]) => sql`(${method} = ${sql.lit(name)} and ${currency} <> ${sql.lit(code)})`,
  );
  return sql`(${sql.join(cases, sql` or `)})`;
}
