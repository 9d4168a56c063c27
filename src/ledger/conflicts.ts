import type { Session } from '../db/connect.ts';
import { formatAmount } from '../money.ts';

/** A known id that came again with other facts. */
export interface ConflictRecord {
  line: number;
  external_id: string;
  /** Field to both values, as people write them. */
  difference: Difference;
}

export type Difference = Record<string, { ours: string | null; theirs: string | null }>;

/** The first `limit` conflicts that an import brought, in order of their lines. */
export async function conflictsOfImport(
  session: Pick<Session, 'sql'>,
  accountId: number,
  importId: string,
  limit: number,
): Promise<ConflictRecord[]> {
  const rows = await session.sql
    .selectFrom('conflict')
    .innerJoin('conversion', (join) =>
      join
        .onRef('conversion.account_id', '=', 'conflict.account_id')
        .onRef('conversion.id', '=', 'conflict.conversion_id'),
    )
    .select(['conflict.line', 'conflict.external_id', 'conflict.difference', 'conversion.currency'])
    .where('conflict.account_id', '=', accountId)
    .where('conflict.import_id', '=', importId)
    .orderBy('conflict.line')
    .limit(limit)
    .execute();
  return rows.map(({ line, external_id, difference, currency }) => ({
    line,
    external_id,
    difference: readableDifference(difference, currency),
  }));
}

/** A stored difference with its amounts, which are minor units there, as exact decimals; `currency` is the recorded sale's. */
export function readableDifference(stored: Difference, currency: string): Difference {
  const theirs = stored.currency?.theirs ?? currency;
  const shown = (minor: string | null, of: string) =>
    minor === null ? null : formatAmount(BigInt(minor), of);
  const fields = Object.entries(stored).map(([field, values]) =>
    field === 'amount' || field === 'refunded_total'
      ? [field, { ours: shown(values.ours, currency), theirs: shown(values.theirs, theirs) }]
      : [field, values],
  );
  return Object.fromEntries(fields);
}
