import { showId } from '../ids.ts';
import { noRows } from '../ledger/record/verdicts.ts';
import type { Work } from '../runs/work.ts';
import type { Expected } from './expected.ts';
import type { InputFile } from './files/open.ts';
import type { ImportOutcome, Kind } from './landing.ts';

/** The outcome of importing bytes that were imported before: nothing. Undefined when they were not, or that was undone. */
export async function earlierImport(
  work: Work,
  { kind, expected }: { kind: Kind; expected?: Expected | undefined },
  file: InputFile,
): Promise<ImportOutcome | undefined> {
  const earlier = await work.context.db.sql
    .selectFrom('import')
    .select(['id', 'finished_at', 'rejects_file'])
    .where('account_id', '=', work.account.id)
    .where('sha256', '=', file.sha256)
    .where('kind', '=', kind)
    .where('undone_at', 'is', null)
    .orderBy('finished_at')
    .executeTakeFirst();
  if (!earlier) return undefined;
  return {
    counts: { rows: 0, ...noRows },
    totals: {},
    report: {
      import: showId('import', earlier.id),
      file: file.shown,
      sha256: file.sha256,
      rejects_file: earlier.rejects_file,
      rejects_of: null,
      layout: null,
      already_imported: { import: showId('import', earlier.id), at: earlier.finished_at.toISOString() },
      plan: null,
      preview: null,
      warnings: expected ? ['the control totals were not compared, since nothing was imported'] : [],
      changes: [],
      rejected_groups: [],
      parked_groups: [],
      conflict_rows: [],
    },
  };
}
