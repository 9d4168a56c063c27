import type { Outcome } from './work.ts';

/**
 * The sum of two outcomes: counts and totals added name by name, the worse exit code, and everything else from
 * `later`. Totals are exact decimals; those of one currency all have the same number of decimals.
 */
export function addOutcomes<T extends Outcome>(earlier: Outcome | undefined, later: T): T {
  if (!earlier) return later;
  const currencies = new Set([...Object.keys(earlier.totals), ...Object.keys(later.totals)]);
  const totals = [...currencies].map((currency) => [
    currency,
    merged(earlier.totals[currency] ?? {}, later.totals[currency] ?? {}, addDecimals),
  ]);
  return {
    ...later,
    counts: merged(earlier.counts, later.counts, (a, b) => a + b),
    totals: Object.fromEntries(totals),
    ...exitCodeOf(earlier, later),
  };
}

/**
 * The outcome of a run whose transactions have committed `kept` in sum: their counts and totals, and beside them
 * those of other names that the work returned. So nothing that was committed is left out, nor counted twice, also
 * after an attempt that failed half way.
 */
export function completeOutcome<T extends Outcome>(kept: Outcome | undefined, returned: T): T {
  if (!kept) return returned;
  const currencies = new Set([...Object.keys(returned.totals), ...Object.keys(kept.totals)]);
  const totals = [...currencies].map((currency) => [
    currency,
    { ...returned.totals[currency], ...kept.totals[currency] },
  ]);
  return {
    ...returned,
    counts: { ...returned.counts, ...kept.counts },
    totals: Object.fromEntries(totals),
    ...exitCodeOf(kept, returned),
  };
}

function exitCodeOf(earlier: Outcome, later: Outcome): Pick<Outcome, 'exitCode'> {
  const codes = [earlier.exitCode, later.exitCode];
  const worst = ([1, 3, 0] as const).find((code) => codes.includes(code));
  return worst === undefined ? {} : { exitCode: worst };
}

function merged<V>(
  earlier: Record<string, V>,
  later: Record<string, V>,
  add: (a: V, b: V) => V,
): Record<string, V> {
  const sum = { ...earlier };
  for (const [name, value] of Object.entries(later)) {
    const before = sum[name];
    sum[name] = before === undefined ? value : add(before, value);
  }
  return sum;
}

function addDecimals(a: string, b: string): string {
  const decimals = a.split('.')[1]?.length ?? 0;
  const sum = BigInt(a.replace('.', '')) + BigInt(b.replace('.', ''));
  const digits = (sum < 0n ? -sum : sum).toString().padStart(decimals + 1, '0');
  const cut = digits.length - decimals;
  const text = decimals === 0 ? digits : `${digits.slice(0, cut)}.${digits.slice(cut)}`;
  return sum < 0n ? `-${text}` : text;
}
