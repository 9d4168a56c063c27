import { formatAmount } from '../money.ts';

/** One file of a batch; `amount` is the sum of its rows in minor units. */
export interface ManifestFile {
  name: string;
  rows: number;
  amount: bigint;
  sha256: string;
}

export interface ManifestFacts {
  batch: string;
  program: string;
  period: { start: Date; end: Date };
  format: string;
  currency: string;
  files: ManifestFile[];
}

/**
 * The text of the manifest that stands beside a batch's files: what is in them, to check them by. It holds nothing
 * that may change later, so that exporting again gives the same bytes.
 */
export function manifestText(facts: ManifestFacts): string {
  const { currency, files } = facts;
  const sum = (amount: bigint) => ({ [currency]: formatAmount(amount, currency) });
  const manifest = {
    batch: facts.batch,
    program: facts.program,
    period: { start: facts.period.start.toISOString(), end: facts.period.end.toISOString() },
    format: facts.format,
    files: files.map(({ name, rows, amount, sha256 }) => ({ name, rows, sums: sum(amount), sha256 })),
    control: {
      files: files.length,
      rows: files.reduce((rows, file) => rows + file.rows, 0),
      sums: sum(files.reduce((amount, file) => amount + file.amount, 0n)),
    },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
