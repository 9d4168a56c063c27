import { z } from 'zod';
import { showId } from '../ids.ts';
import type { ImportRecord } from './history.ts';
import type { ImportOutcome } from './landing.ts';

/** An import as programs read it: by --json, by the API and in reports. */
export const importView = z.object({
  import: z.string(),
  kind: z.enum(['affiliates', 'referrals', 'sales', 'events', 'api']),
  file: z.string(),
  source: z.string().nullable(),
  rows: z.number(),
  counts: z.record(z.string(), z.number()),
  totals: z.record(z.string(), z.record(z.string(), z.string())),
  rejects_file: z.string().nullable(),
  rejects_of: z.string().nullable(),
  imported_at: z.date(),
  run: z.string(),
  job: z.string().nullable(),
  undone: z
    .object({
      at: z.date(),
      by: z.string().nullable(),
      reason: z.string().nullable(),
      run: z.string().nullable(),
    })
    .nullable(),
});

export function viewImport(one: ImportRecord): z.infer<typeof importView> {
  return {
    import: showId('import', one.id),
    kind: one.kind,
    file: one.file,
    source: one.source,
    rows: one.rows,
    counts: one.counts,
    totals: one.totals,
    rejects_file: one.rejects_file,
    rejects_of: one.rejects_of === null ? null : showId('import', one.rejects_of),
    imported_at: one.finished_at,
    run: showId('run', one.run_id),
    job: one.job,
    undone: one.undone_at
      ? {
          at: one.undone_at,
          by: one.undone_by,
          reason: one.undone_reason,
          run: one.undone_run_id === null ? null : showId('run', one.undone_run_id),
        }
      : null,
  };
}

/** What became of one file: the report of its import, with its counts beside; of a dry run, what would have become of it. */
export function viewImported({
  run,
  dryRun,
  outcome: { counts, totals, report },
}: {
  run: string | null;
  dryRun: boolean;
  outcome: ImportOutcome;
}) {
  const { import: id, file, sha256, rejects_file, ...rest } = report;
  return {
    run,
    import: dryRun ? null : id,
    file,
    sha256,
    dry_run: dryRun,
    ...counts,
    totals,
    rejects_file,
    ...rest,
  };
}
