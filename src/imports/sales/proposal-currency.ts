import { currencyOf, markerIn } from '../values/currency-signs.ts';
import type { ProposedColumn } from './proposal-columns.ts';
import { markerBeside } from './proposal-shapes.ts';

interface NamedCurrency {
  currency?: string | undefined;
  /** In words: what says so. */
  from?: string;
  /** What a person has to say. */
  open?: string[];
}

/**
 * The currency of a file that has no column for it: what the header of the amounts or the text beside each of them names,
 * else `likely`, the programme's, which also decides about a sign that several currencies have.
 */
export function currencyNamed(amount: ProposedColumn | undefined, likely: string): NamedCurrency {
  const inHeader = markerIn(amount?.header ?? '');
  const marker = inHeader || markerBeside(amount?.values ?? []);
  if (marker === '') return { currency: likely, from: "the programme's" };
  const currency = currencyOf(marker, likely);
  if (currency === undefined) return { open: [`which currency "${marker}" is`] };
  return { currency, from: `as ${inHeader ? `"${amount!.header}"` : `"${marker}" beside the amounts`} says` };
}
