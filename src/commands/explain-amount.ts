import { type SaleStory, termsOf } from '../ledger/explain/sale.ts';
import { formatPercent, showAmount } from '../money.ts';

/** Why a commission is what it is, a sentence each; after corrections also what it was at first. */
export function amountText(story: SaleStory): string[] {
  const { conversion, commission, corrections } = story;
  if (!commission) return [];
  if (corrections.every(({ correction }) => correction.earned === 0n)) return ruleText(story);
  const first = `At first ${showAmount(commission.amount, commission.currency)}, for the sale as it was recorded.`;
  const earns = corrections.reduce((sum, { correction }) => sum + correction.earned, commission.amount);
  if (earns === 0n)
    return [first, `Nothing since${conversion.taken_back ? `: ${conversion.taken_back}` : ''}.`];
  return [first, `Since its last correction ${showAmount(earns, commission.currency)}:`, ...ruleText(story)];
}

/** The present rule and rate: the commission's own, or those of the last correction that brought any. */
function ruleText({ conversion, commission, corrections, incentive, program }: SaleStory): string[] {
  if (!commission) return [];
  const terms = termsOf(corrections.map(({ correction }) => correction)) ?? commission;
  const rule = incentive
    ? `the incentive ${incentive.ref} of the programme ${program.ref}`
    : `the default of the programme ${program.ref}`;
  if (terms.rate_ppm === null) return [`A fixed amount, by ${rule}.`];
  const percent = `${formatPercent(terms.rate_ppm)} %`;
  const base = showAmount(conversion.amount, conversion.currency);
  const by = terms.overridden ? `the affiliate's own percentage, which replaces that of ${rule}` : rule;
  const rounding =
    commission.rounding === 'half_up' ? 'half a unit away from zero' : 'half a unit to the even one';
  const lines = [`${percent} of ${base}, by ${by}; rounded ${rounding}.`];
  const exchange = corrections.findLast(({ line }) => line && line.amount !== 0n)?.line ?? commission;
  if (exchange.fx_rate && conversion.currency !== commission.currency) {
    lines.push(
      `1 ${conversion.currency} was ${exchange.fx_rate} ${commission.currency} on ${exchange.fx_day} (${exchange.fx_source}).`,
    );
  }
  return lines;
}
