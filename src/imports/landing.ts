import type { Session } from '../db/connect.ts';
import { showId } from '../ids.ts';
import { type ConflictRecord, conflictsOfImport } from '../ledger/conflicts.ts';
import type { Mover } from '../ledger/journal.ts';
import type { Verdicts } from '../ledger/record/verdicts.ts';
import type { WorkAhead } from '../ledger/work-ahead.ts';
import { formatAmount, showCount } from '../money.ts';
import type { Outcome, Work } from '../runs/work.ts';
import type { Expected } from './expected.ts';
import type { InputFile } from './files/open.ts';
import { firstImport } from './first-import.ts';
import type { Preview } from './preview.ts';
import type { Progress } from './progress.ts';
import type { RejectsFile } from './rejects.ts';
import { parkedGroups, type RowGroup, rejectedGroups } from './row-groups.ts';
import type { LayoutReport } from './sales/layout.ts';
import type { Evidence } from './values/styles.ts';

export type Kind = 'affiliates' | 'referrals' | 'sales' | 'events';

/** A file under way: what its rows are read and recorded with. */
export interface Landing {
  work: Work;
  mover: Mover;
  file: InputFile;
  importId: string;
  progress: Progress;
  ahead: WorkAhead;
  /** The same bytes were imported before. */
  isAgain: boolean;
  expected?: Expected | undefined;
}

/** How the rows of a file ended; they add up to the rows read. */
export type RowCounts = Omit<Verdicts, 'otherAffiliate'>;

/** What one file brought, before its import is written down. */
export interface Landed {
  rows: number;
  counts: RowCounts;
  /** Minor units by currency. */
  sales: Map<string, bigint>;
  commissions: Map<string, bigint>;
  /** Sentences that a person should read, without personal data. */
  warnings: string[];
  /** What was updated, one sentence each, without personal data; at most fifty. */
  changes: string[];
  rejects: RejectsFile | undefined;
  preview?: Preview | undefined;
  /** What showed how the columns are written. */
  styles?: Evidence[];
  /** The UUID of the import that the file says its rows were rejected by. */
  rejectsOf?: string | undefined;
  /** Of a sales file or an event log. */
  layout?: LayoutReport;
}

export interface ImportReport {
  import: string;
  file: string;
  sha256: string;
  rejects_file: string | null;
  /** The import whose rejects file came back as this one. */
  rejects_of: string | null;
  /** How a sales file or an event log was read; null for files of people, and where nothing was done. */
  layout: LayoutReport | null;
  /** The earlier import of the same bytes, because of which nothing was done. */
  already_imported: { import: string; at: string } | null;
  /** The latest import of the same bytes, and why they were read once more. */
  read_again: { import: string; at: string; why: string } | null;
  /** Of a rehearsal: the code by which exactly this can be asked for. */
  plan: string | null;
  /** Of a rehearsed sales file or event log: how it was read, and what it would do for whom. */
  preview: Preview | null;
  warnings: string[];
  changes: string[];
  rejected_groups: RowGroup[];
  parked_groups: RowGroup[];
  conflict_rows: ConflictRecord[];
}

export interface ImportOutcome extends Outcome {
  report: ImportReport;
}

/** How many conflicts a report lists; the conflict table has them all. */
const listed = 20;

/**
 * Writes an import down beside what it brought, and puts it into words. Every row read must have ended in exactly
 * one way; anything else is a defect, and nothing of the import is kept.
 */
export async function landingOf(
  session: Session,
  work: Work,
  about: {
    importId: string;
    kind: Kind;
    file: InputFile;
    sourceId: string | null;
    now: Date;
    plan?: string | undefined;
    readAgain: ImportReport['read_again'];
  },
  landed: Landed,
): Promise<ImportOutcome> {
  const { counts, rows } = landed;
  const ended = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (ended !== rows)
    throw new Error(`${rows} rows were read, but ${ended} have ended: ${JSON.stringify(counts)}`);
  const totals = totalsOf(landed);
  const rejectsFile = work.dryRun ? null : (landed.rejects?.shown ?? null);
  const { importId, file } = about;
  const rejectsOf = await firstImport(session, work.account.id, about, landed.rejectsOf);
  const groups = await rejectedGroups(session, counts.rejected);
  const { warnings, changes } = landed;
  await session.sql
    .insertInto('import')
    .values({
      account_id: work.account.id,
      id: importId,
      run_id: work.runId,
      source_id: about.sourceId,
      kind: about.kind,
      file: file.name,
      sha256: file.sha256,
      rows,
      counts: JSON.stringify(counts),
      totals: JSON.stringify(totals),
      rejects_file: rejectsFile,
      finished_at: about.now,
      rejects_of: rejectsOf ?? null,
      report: JSON.stringify({ warnings, changes, rejected_groups: groups, styles: landed.styles ?? [] }),
    })
    .execute();
  const needsPerson = counts.rejected > 0 || counts.conflicts > 0;
  return {
    counts: { rows, ...counts },
    totals,
    exitCode: needsPerson ? 3 : 0,
    report: {
      import: showId('import', importId),
      file: file.shown,
      sha256: file.sha256,
      rejects_file: rejectsFile,
      rejects_of: rejectsOf === undefined ? null : showId('import', rejectsOf),
      layout: landed.layout ?? null,
      already_imported: null,
      read_again: about.readAgain,
      plan: about.plan ?? null,
      preview: landed.preview ?? null,
      warnings,
      changes,
      rejected_groups: groups,
      parked_groups: await parkedGroups(session, work.account.id, importId, counts.parked),
      conflict_rows: await conflictsOfImport(session, work.account.id, importId, listed),
    },
  };
}

/** Sums in minor units as exact decimals, by currency. */
export function totalsOf(landed: Pick<Landed, 'sales' | 'commissions'>): Outcome['totals'] {
  const currencies = [...new Set([...landed.sales.keys(), ...landed.commissions.keys()])].sort();
  return Object.fromEntries(
    currencies.map((currency) => [
      currency,
      {
        sales: formatAmount(landed.sales.get(currency) ?? 0n, currency),
        commissions: formatAmount(landed.commissions.get(currency) ?? 0n, currency),
      },
    ]),
  );
}

/** A warning with its count, or none. */
export function warningOf(count: number, one: string, many: string): string[] {
  return count === 0 ? [] : [`${showCount(count)} ${count === 1 ? one : many}`];
}
