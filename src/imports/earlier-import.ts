import { showId } from '../ids.ts';
import { noRows } from '../ledger/record/verdicts.ts';
import { showCount } from '../money.ts';
import type { Work } from '../runs/work.ts';
import type { Expected } from './expected.ts';
import type { InputFile } from './files/open.ts';
import type { ImportOutcome, ImportReport, Kind } from './landing.ts';

/** An import of the same bytes that was not undone. */
export interface EarlierImport {
  /** What to answer where nothing is done. */
  outcome: ImportOutcome;
  /** Why the file is read again; undefined where that could change nothing. */
  readAgain: string | undefined;
}

/**
 * The latest import of these bytes. Reading them again changes something where it left rows open (rejected, in conflict
 * or parked), since what they wanted may be known meanwhile; and a file of affiliates or referrals counts again where it
 * is not the latest of its kind.
 */
export async function earlierImport(
  work: Work,
  { kind, expected }: { kind: Kind; expected?: Expected | undefined },
  file: InputFile,
): Promise<EarlierImport | undefined> {
  const imports = work.context.db.sql
    .selectFrom('import')
    .select(['id', 'finished_at', 'rejects_file', 'sha256', 'counts'])
    .where('account_id', '=', work.account.id)
    .where('kind', '=', kind)
    .where('undone_at', 'is', null)
    .orderBy('finished_at', 'desc')
    .orderBy('id', 'desc');
  const earlier = await imports.where('sha256', '=', file.sha256).executeTakeFirst();
  if (!earlier) return undefined;
  const isOfPeople = kind === 'affiliates' || kind === 'referrals';
  const latest = isOfPeople ? await imports.executeTakeFirst() : earlier;
  const open = openRows(earlier.counts);
  return {
    outcome: nothingDone(file, earlier, expected),
    readAgain:
      open > 0
        ? `it left ${showCount(open)} ${open === 1 ? 'row' : 'rows'} open`
        : latest?.sha256 !== earlier.sha256
          ? `a later file of ${kind} came after it`
          : undefined,
  };
}

/** Whether a file that was imported before is left alone. */
export function isDone(earlier: EarlierImport | undefined, again = false): earlier is EarlierImport {
  return earlier !== undefined && !again && earlier.readAgain === undefined;
}

/** What a report says of an earlier import that did not keep the file from being read. */
export function readAgainOf(earlier: EarlierImport | undefined): ImportReport['read_again'] {
  const before = earlier?.outcome.report.already_imported;
  return before ? { ...before, why: earlier.readAgain ?? 'it was asked for' } : null;
}

function openRows({ rejected = 0, conflicts = 0, parked = 0 }: Record<string, number>): number {
  return rejected + conflicts + parked;
}

function nothingDone(
  file: InputFile,
  earlier: { id: string; finished_at: Date; rejects_file: string | null },
  expected: Expected | undefined,
): ImportOutcome {
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
      read_again: null,
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
