import { saysEmpty } from '../../values/cells.ts';
import { affiliateName, composed } from '../../values/values.ts';

/** An object of Stripe's API, of any version: what it holds is found by looking. */
export type StripeObject = Record<string, unknown>;

/** Who brought a customer, as far as one event says. */
export interface Attribution {
  affiliate?: string | undefined;
  clickId?: string | undefined;
  customerId?: string | undefined;
}

export function objectOf(value: unknown): StripeObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as StripeObject)
    : undefined;
}

export function textOf(value: unknown): string | undefined {
  const text = typeof value === 'string' ? composed(value.trim()) : '';
  return text === '' || saysEmpty(text) ? undefined : text;
}

/** The id of another object, which stands there itself where the reader of the API asked for it. */
export function idOf(value: unknown): string | undefined {
  return textOf(objectOf(value)?.id ?? value);
}

/** The entries of one of Stripe's lists. */
export function entriesOf(value: unknown): StripeObject[] {
  const data = objectOf(value)?.data;
  return Array.isArray(data) ? data.map(objectOf).filter((entry) => entry !== undefined) : [];
}

/** Seconds since 1970 as ISO 8601 text; undefined for what is no moment of the years to 9999. */
export function instantOf(seconds: unknown): string | undefined {
  const isMoment =
    Number.isInteger(seconds) && (seconds as number) >= 0 && (seconds as number) < 253_402_300_800;
  return isMoment ? new Date((seconds as number) * 1000).toISOString() : undefined;
}

/**
 * Who brought the customer of `object`: `affiliate_id` and `affiliate_session_id` (the click) in the metadata of the
 * first of `carriers` that has them, as affilut's checkout snippet puts them on a payment and on its customer.
 */
export function attributionOf(object: StripeObject, ...carriers: unknown[]): Attribution {
  const metadata = [object, ...carriers].map((one) => objectOf(objectOf(one)?.metadata));
  const first = (key: string) => metadata.map((one) => textOf(one?.[key])).find((text) => text !== undefined);
  return {
    affiliate: affiliateName(first('affiliate_id') ?? ''),
    clickId: first('affiliate_session_id'),
    customerId: idOf(object.customer),
  };
}
