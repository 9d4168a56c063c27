/** How the rows of a batch ended; the counts add up to the rows staged. */
export interface Verdicts {
  recorded: number;
  updated: number;
  duplicates: number;
  conflicts: number;
  rejected: number;
  parked: number;
  ignored: number;
  /**
   * Rows whose customer belongs to another affiliate than the one they name, and the line of the first of them, 0 for
   * none; they are counted above as well.
   */
  otherAffiliate: { rows: number; line: number };
}

export const noRows: Readonly<Omit<Verdicts, 'otherAffiliate'>> = {
  recorded: 0,
  updated: 0,
  duplicates: 0,
  conflicts: 0,
  rejected: 0,
  parked: 0,
  ignored: 0,
};

export const noVerdicts: Readonly<Verdicts> = { ...noRows, otherAffiliate: { rows: 0, line: 0 } };

/** Adds how the rows of another batch ended to `total`. */
export function addVerdicts(total: Verdicts, { otherAffiliate, ...counts }: Verdicts): void {
  for (const key of Object.keys(counts) as (keyof typeof counts)[]) total[key] += counts[key];
  total.otherAffiliate = noted([total.otherAffiliate, otherAffiliate]);
}

/** Those of several batches together. */
export function noted(some: Verdicts['otherAffiliate'][]): Verdicts['otherAffiliate'] {
  const met = some.filter(({ rows }) => rows > 0);
  const rows = met.reduce((sum, one) => sum + one.rows, 0);
  return { rows, line: rows === 0 ? 0 : Math.min(...met.map(({ line }) => line)) };
}
