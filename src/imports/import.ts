import { isCommitUnknown, type Session } from '../db/connect.ts';
import { newId } from '../ids.ts';
import { WorkAhead } from '../ledger/work-ahead.ts';
import { addOutcomes } from '../runs/outcome.ts';
import type { Work } from '../runs/work.ts';
import type { Mapping } from './columns.ts';
import { type EarlierImport, earlierImport, isDone, readAgainOf } from './earlier-import.ts';
import type { Expected } from './expected.ts';
import { type InputFile, withInputFile } from './files/open.ts';
import { takeInbox } from './inbox.ts';
import { type ImportOutcome, type Kind, type Landed, type Landing, landingOf } from './landing.ts';
import { landEvents } from './logs/events.ts';
import { kindOfLog } from './logs/kind-of-log.ts';
import { retryParkedEvents } from './logs/parked.ts';
import { importPeople } from './people/people.ts';
import { assertPlan, planCode } from './plan.ts';
import { progressOf } from './progress.ts';
import { loadRates } from './rates.ts';
import { settleRejects } from './rejects.ts';
import { retryWaitingEntries } from './requests/waiting-entries.ts';
import { type ProposedSource, proposedSource } from './sales/layout.ts';
import type { Choice } from './sales/proposal-columns.ts';
import { retryParkedRefunds } from './sales/refunds.ts';
import { landSales } from './sales/sales.ts';
import { limitsFor, sourcesFor } from './source.ts';
import { takeTurn } from './turn.ts';

export { type Expected, readExpected } from './expected.ts';
export { type ImportHistory, type ImportRecord, importsOfFile, listImports, showImport } from './history.ts';
export type { InboxFile } from './inbox.ts';
export { faultsOfInbox } from './inbox-entries.ts';
export type { ImportOutcome, ImportReport, Kind } from './landing.ts';
export { peopleFields } from './people/people.ts';
export type { Choice } from './sales/proposal-columns.ts';
export { straysOfInbox } from './strays.ts';
export { toDoInImports } from './to-do.ts';
export { type UndoOutcome, undoImport } from './undo.ts';
export { importView, viewImport, viewImported } from './views.ts';
export { lookAtWaiting } from './waiting-files.ts';

export interface ImportOptions {
  kind: Kind;
  /** A path, or `-` for standard input. */
  file: string;
  /** The ref of a source in payrun.json; without one, the account's source that fits, or the canonical layout. */
  source?: string | undefined;
  /** The source was just proposed and is not in the database yet; for a dry run. */
  isTrial?: boolean | undefined;
  /** Import although the same bytes were imported before. */
  again?: boolean | undefined;
  /** The code of a rehearsal: the import is done only if nothing has changed since. */
  plan?: string | undefined;
  /** Of a file of people: columns that are named otherwise than their fields. */
  mapping?: Mapping | undefined;
  /** Control totals that a file of sales or an event log must agree with. */
  expected?: Expected | undefined;
}

/**
 * Imports one file in one transaction: it lands whole or not at all. The rejects file is complete on disk before the
 * commit and gets its name after it. A rehearsal's report has the code of its plan. Raises `file-unreadable`,
 * `file-refused`, `usage`, `config-not-applied`, `plan-outdated`.
 */
export async function importFile(work: Work, options: ImportOptions): Promise<ImportOutcome> {
  const { context } = work;
  if (!work.dryRun) await settleRejects(context);
  const landOnce = async (file: InputFile) => {
    const earlier = await earlierImport(work, options, file);
    return isDone(earlier, options.again) ? earlier.outcome : landFile(work, options, file, earlier);
  };
  return withInputFile(
    options.file,
    context.signal,
    landOnce,
    limitsFor(work, sourceKinds[options.kind], options.source),
  );
}

/** Files of people have no source; they are read, and limited, as the account's first of sales. */
const sourceKinds = {
  sales: 'sales_csv',
  affiliates: 'sales_csv',
  referrals: 'sales_csv',
  events: 'affonso_events',
} as const;

/**
 * The source that would read a sales file which no layout fits, as payrun.json would have it under the name `ref`:
 * a proposal by the names and first values of the columns and what a person has chosen of them. Raises `file-refused`
 * where something is open, and `usage` for a file that is understood as it is.
 */
export async function proposeSource(
  work: Pick<Work, 'context' | 'account'>,
  file: string,
  ref: string,
  choice: Choice,
): Promise<ProposedSource> {
  const sources = await sourcesFor(work, 'sales_csv', undefined);
  const account = work.context.config.accounts.find((one) => one.ref === work.account.ref);
  const wanted = { ref, program: account!.programs[0]!.ref, choice };
  const proposed = (input: InputFile) => proposedSource(input, sources, wanted);
  return withInputFile(file, work.context.signal, proposed, limitsFor(work, 'sales_csv', undefined));
}

/** Imports everything that waits in the inbox folders of the account's sources of `kind`, file by file. */
export async function importInbox(work: Work, kind: 'sales' | 'events') {
  return takeInbox(work, kind, (file, source) => importFile(work, { kind, file, source }));
}

/** Tries every parked event, conversion entry and refund again, now that referrals and sales may be known. */
export async function retryParked(work: Work) {
  return work.transaction(async (session, mover) => {
    const events = await retryParkedEvents(session, work, mover);
    const entries = await retryWaitingEntries(session, work, mover);
    return addOutcomes(addOutcomes(events, entries), await retryParkedRefunds(session, mover));
  });
}

async function landFile(
  work: Work,
  options: ImportOptions,
  file: InputFile,
  before: EarlierImport | undefined,
): Promise<ImportOutcome> {
  const { clock, log } = work.context;
  const { kind, source, again = false, expected } = options;
  const importId = newId(clock());
  const progress = progressOf(file.name, log, clock);
  const ahead = new WorkAhead(work.context.db);
  let landed: Landed | undefined;
  try {
    const outcome = await work.transaction(async (session, mover) => {
      // The one that was waited for may have been of the same file.
      const earlier = (await takeTurn(session, work)) ? await earlierImport(work, options, file) : before;
      if (isDone(earlier, options.again)) return earlier.outcome;
      const subject = { sha256: file.sha256, options: { kind, source, again } };
      if (options.plan !== undefined) await assertPlan(session, work, subject, options.plan);
      const plan = work.dryRun && !options.isTrial ? await planCode(session, work, subject) : undefined;
      const landing: Landing = {
        work,
        mover,
        file,
        importId,
        progress,
        ahead,
        isAgain: earlier !== undefined,
        expected,
      };
      const { sourceId, ...result } = await landRows(session, landing, options);
      landed = result;
      const about = { importId, kind, file, sourceId, now: mover.now, plan, readAgain: readAgainOf(earlier) };
      return landingOf(session, work, about, landed);
    });
    const unnamed = await (work.dryRun ? landed?.rejects?.discard() : landed?.rejects?.keep());
    if (unnamed !== undefined) outcome.report.warnings.push(unnamed);
    return outcome;
  } catch (cause) {
    // Nobody knows yet whether the import is in the database; a later one finds out.
    if (!isCommitUnknown(cause)) await landed?.rejects?.discard();
    throw cause;
  } finally {
    progress.done();
    await ahead.end();
    await work.afterwards(() => ahead.tidy());
  }
}

async function landRows(
  session: Session,
  landing: Landing,
  options: ImportOptions,
): Promise<Landed & { sourceId: string | null }> {
  const { work } = landing;
  const { workspace } = work.context.config;
  if (options.kind === 'sales') {
    const sources = await sourcesFor(work, 'sales_csv', options.source, { isTrial: options.isTrial });
    const rates = await loadRates(workspace, work.context.signal);
    const landed = await landSales(session, landing, sources, rates);
    return { ...landed, warnings: [...landed.warnings, ...rates.warnings] };
  }
  if (options.kind === 'events') {
    const { kind, why } = await kindOfLog(work, landing.file, options.source);
    const [source] = await sourcesFor(work, kind, options.source);
    const layout = { source: source!.ref ?? null, preset: null, log: kind, why };
    const rates = await loadRates(workspace, work.context.signal);
    const landed = await landEvents(session, landing, kind, source!, rates);
    return { ...landed, warnings: [...landed.warnings, ...rates.warnings], layout };
  }
  const program = work.context.config.accounts.find((one) => one.ref === work.account.ref)?.programs[0];
  const [source] = await sourcesFor(work, 'sales_csv', undefined);
  const { mover, file, importId, progress } = landing;
  const people = {
    file,
    importId,
    programId: source!.programId,
    timezone: program?.timezone ?? 'UTC',
    progress,
    signal: work.context.signal,
    work,
    mapping: options.mapping ?? {},
  };
  return { ...(await importPeople(session, mover, options.kind, people)), sourceId: null };
}
