import path from 'node:path';
import { PayrunError } from '../errors.ts';
import type { Outcome, Work } from '../runs/work.ts';
import { isSystemFault } from '../system-fault.ts';
import { entryFault, waitingIn } from './inbox-entries.ts';
import type { ImportOutcome, ImportReport } from './landing.ts';
import { putAway, sweepCopies, writeOutcome } from './put-away.ts';
import { straysOfInbox } from './strays.ts';

/** What became of one file of the inbox. */
export interface InboxFile {
  file: string;
  /** Where it was moved to, from the workspace; null in a dry run, and where it stays. */
  moved_to: string | null;
  counts: Record<string, number>;
  report: ImportReport | null;
  /** Why it was refused. */
  error: string | null;
  /** Why it stays in the inbox though nothing is wrong with it; without a report nothing of it was recorded. */
  left: string | null;
}

type ImportOne = (file: string, source: string) => Promise<ImportOutcome>;

const kinds = { sales: ['sales_csv'], events: ['affonso_events', 'stripe_events'] };

/**
 * Imports everything in inbox/<source>/ of the account's sources of `kind`, in order of name: hidden files and files
 * that end in .part or .tmp are still being written and are left. Each file is then moved to archive/<source>/, a bad
 * one to rejects/<source>/, and the next is taken. A file that was imported when the process was killed before moving
 * it is known by its bytes and only moved. What belongs to no source stays, with a warning in log and report. A folder
 * or disk that can't be used costs the files that need it, which stay; the rest is done, and the exit code is 1.
 */
export async function takeInbox(
  work: Work,
  kind: 'sales' | 'events',
  importOne: ImportOne,
): Promise<Outcome> {
  const files: InboxFile[] = [];
  const warnings = await warnOfStrays(work, kind);
  const sources = sourcesOf(work, kinds[kind]);
  if (!work.dryRun)
    await sweepCopies(
      work,
      sources.map(({ ref }) => ref),
    );
  const waiting = await waitingIn(work.context.config.workspace, sources);
  const faults = [...waiting.faults];
  const outcome: Outcome = { counts: { files: 0, refused: 0, left_in_inbox: 0 }, totals: {} };
  for (const { file, source } of waiting.entries) {
    const { taken, fault } = await takeFile(work, file, source, importOne);
    files.push(taken);
    if (fault) faults.push(fault);
    outcome.counts.files! += 1;
    if (taken.error !== null) outcome.counts.refused! += 1;
    if (taken.left !== null) outcome.counts.left_in_inbox! += 1;
    if (taken.error !== null || (taken.counts.rejected ?? 0) + (taken.counts.conflicts ?? 0) > 0)
      outcome.exitCode = 3;
  }
  const sentences = [...new Set(faults.map(({ message, todo }) => `${message} ${todo}`))];
  for (const message of sentences) work.context.log.warning({ message });
  outcome.report = warnings.length === 0 ? { files } : { files, warnings };
  return sentences.length === 0 ? outcome : { ...outcome, exitCode: 1, message: sentences.join('\n') };
}

/** The sources of the account that are of one of these kinds. */
export function sourcesOf({ context, account }: Pick<Work, 'context' | 'account'>, kindsOfSource: string[]) {
  const { sources = [] } = context.config.accounts.find((one) => one.ref === account.ref) ?? {};
  return sources.filter(({ kind }) => kindsOfSource.includes(kind));
}

/** Of the two jobs of a night only the one of the account's first source warns, so that it is said once. */
async function warnOfStrays({ context, account }: Work, kind: keyof typeof kinds): Promise<string[]> {
  const { sources } = context.config.accounts.find((one) => one.ref === account.ref) ?? {};
  if (!kinds[kind].includes(sources?.[0]?.kind ?? 'sales_csv')) return [];
  const warnings = await straysOfInbox(context.config);
  for (const message of warnings) context.log.warning({ message });
  return warnings;
}

/** Imports one file and moves it away, with what became of it beside it. `fault` is of the machine, not of the file. */
async function takeFile(
  work: Work,
  file: string,
  source: string,
  importOne: ImportOne,
): Promise<{ taken: InboxFile; fault?: PayrunError }> {
  const taken: InboxFile = {
    file: shown(work, file),
    moved_to: null,
    counts: {},
    report: null,
    error: null,
    left: null,
  };
  const fault = await importInto(taken, work, file, () => importOne(file, source));
  const isGone = fault?.code === 'file-gone';
  if (isSystemFault(fault)) return { taken: { ...taken, left: fault.message }, fault };
  if (work.dryRun || isGone) return { taken };
  try {
    const moved = await putAway(work, { file, source, where: fault ? 'rejects' : 'archive' });
    taken.moved_to = shown(work, moved);
    await writeOutcome(work, moved, taken);
    return { taken };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      const message = `${taken.file} was taken away before it could be put away`;
      work.context.log.warning({ message });
      return { taken };
    }
    if (!isSystemFault(cause)) throw cause;
    if (taken.moved_to === null) taken.left = cause.message;
    return { taken, fault: cause };
  }
}

/** Notes in `taken` what was imported, or why the file was refused; returns the fault that ended the import. */
async function importInto(
  taken: InboxFile,
  work: Work,
  file: string,
  importIt: () => Promise<ImportOutcome>,
): Promise<PayrunError | undefined> {
  try {
    const fault = await entryFault(work.context.config.workspace, file);
    if (fault) throw fault;
    const { counts, report } = await importIt();
    Object.assign(taken, { counts, report });
    return undefined;
  } catch (cause) {
    if (isSystemFault(cause)) return cause;
    if (!(cause instanceof PayrunError) || !ofTheFile.has(cause.code)) throw cause;
    const where = cause.place?.line === undefined ? '' : ` (line ${cause.place.line})`;
    taken.error = `${cause.message}${where}`;
    work.context.log.fileRefused({ file: taken.file, code: cause.code, message: cause.message });
    return cause;
  }
}

const ofTheFile = new Set(
  'file-refused file-unreadable file-gone link-broken link-outside not-a-file'.split(' '),
);

function shown(work: Work, file: string): string {
  return path.relative(work.context.config.workspace, file);
}
