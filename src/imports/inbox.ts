import { link, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PayrunError } from '../errors.ts';
import type { Outcome, Work } from '../runs/work.ts';
import type { ImportOutcome, ImportReport } from './landing.ts';
import { isWhole, straysOfInbox } from './strays.ts';

/** What became of one file of the inbox. */
export interface InboxFile {
  file: string;
  /** Where it was moved to, from the workspace; null in a dry run. */
  moved_to: string | null;
  counts: Record<string, number>;
  report: ImportReport | null;
  error: string | null;
}

const kinds = { sales: ['sales_csv'], events: ['affonso_events', 'stripe_events'] };

/**
 * Imports everything in inbox/<source>/ of the account's sources of `kind`, in order of name: hidden files and files
 * that end in .part or .tmp are still being written and are left. Each file is then moved to archive/<source>/, a bad
 * one to rejects/<source>/, and the next is taken. A file that was imported when the process was killed before moving
 * it is known by its bytes and only moved. What belongs to no source stays, with a warning in log and report.
 */
export async function takeInbox(
  work: Work,
  kind: 'sales' | 'events',
  importOne: (file: string, source: string) => Promise<ImportOutcome>,
): Promise<Outcome> {
  const files: InboxFile[] = [];
  const warnings = await warnOfStrays(work, kind);
  const outcome: Outcome = {
    counts: { files: 0, refused: 0 },
    totals: {},
    report: warnings.length === 0 ? { files } : { files, warnings },
  };
  for (const { file, source } of await waiting(work, kinds[kind])) {
    const taken = await takeFile(work, file, source, importOne);
    files.push(taken);
    outcome.counts.files! += 1;
    if (taken.error !== null) outcome.counts.refused! += 1;
    if (taken.error !== null || (taken.counts.rejected ?? 0) + (taken.counts.conflicts ?? 0) > 0)
      outcome.exitCode = 3;
  }
  return outcome;
}

/** Of the two jobs of a night only the one of the account's first source warns, so that it is said once. */
async function warnOfStrays({ context, account }: Work, kind: keyof typeof kinds): Promise<string[]> {
  const { sources } = context.config.accounts.find((one) => one.ref === account.ref) ?? {};
  if (!kinds[kind].includes(sources?.[0]?.kind ?? 'sales_csv')) return [];
  const warnings = await straysOfInbox(context.config);
  for (const message of warnings) context.log.warning({ message });
  return warnings;
}

/** Imports one file and moves it away, with what became of it beside it as `<name>.outcome.json`. */
async function takeFile(
  work: Work,
  file: string,
  source: string,
  importOne: (file: string, source: string) => Promise<ImportOutcome>,
): Promise<InboxFile> {
  const taken: InboxFile = { file: shown(work, file), moved_to: null, counts: {}, report: null, error: null };
  try {
    const { counts, report } = await importOne(file, source);
    Object.assign(taken, { counts, report });
  } catch (cause) {
    if (!(cause instanceof PayrunError) || !isAboutTheFile(cause)) throw cause;
    const where = cause.place?.line === undefined ? '' : ` (line ${cause.place.line})`;
    taken.error = `${cause.message}${where}`;
    work.context.log.fileRefused({ file: taken.file, code: cause.code, message: cause.message });
  }
  if (work.dryRun) return taken;
  const moved = await moveTo(work, taken.error === null ? 'archive' : 'rejects', source, file);
  taken.moved_to = shown(work, moved);
  await writeFile(`${moved}.outcome.json`, `${JSON.stringify(taken, null, 2)}\n`);
  return taken;
}

function isAboutTheFile(fault: PayrunError): boolean {
  return fault.code === 'file-refused' || fault.code === 'file-unreadable';
}

/** The whole files in the inbox folders of the account's sources of these kinds, in order of name. */
export async function waiting(
  work: Pick<Work, 'context' | 'account'>,
  kindsOfSource: string[],
): Promise<{ file: string; source: string }[]> {
  const { config } = work.context;
  const account = config.accounts.find((one) => one.ref === work.account.ref);
  const found: { file: string; source: string }[] = [];
  for (const source of account?.sources ?? []) {
    if (!kindsOfSource.includes(source.kind)) continue;
    const folder = path.join(config.workspace, 'inbox', source.ref);
    const names = await readdir(folder).catch(() => []);
    for (const name of names.sort()) {
      const file = path.join(folder, name);
      if (!isWhole(name) || !(await stat(file)).isFile()) continue;
      found.push({ file, source: source.ref });
    }
  }
  return found;
}

/** Moves a file without overwriting: a second file of the same name gets a number. Returns the new path. */
async function moveTo(
  work: Work,
  where: 'archive' | 'rejects',
  source: string,
  file: string,
): Promise<string> {
  const folder = path.join(work.context.config.workspace, where, source);
  await mkdir(folder, { recursive: true });
  const { name, ext } = path.parse(file);
  for (let number = 1; ; number += 1) {
    const target = path.join(folder, number === 1 ? `${name}${ext}` : `${name}.${number}${ext}`);
    try {
      await link(file, target);
      await rm(file);
      return target;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue;
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK') throw cause;
      // This file system has no hard links; a plain move is the next best.
      await rename(file, target);
      return target;
    }
  }
}

function shown(work: Work, file: string): string {
  return path.relative(work.context.config.workspace, file);
}
