import { formatAmount } from '../money.ts';

/**
 * An amount as a number of JSON in major units: written with the currency's decimals, and never made a float on the way.
 * The result is for JSON.stringify alone.
 */
export function exactNumber(minor: bigint, currency: string): number {
  return json.rawJSON(formatAmount(minor, currency)) as number;
}

// Node has it, and the types do not yet.
const json = JSON as typeof JSON & { rawJSON(text: string): unknown };
