import type { SourceConfig } from '../../config.ts';
import { PayrunError } from '../../errors.ts';
import type { InputFile } from '../files/open.ts';
import { readCsv } from '../files/records.ts';
import type { Source } from '../source.ts';
import { type Candidate, type Origin, type ReadFile, theOne } from './candidates.ts';
import { presetFor } from './preset.ts';
import type { Choice } from './proposal-columns.ts';
import { returned } from './returned.ts';
import { type Fit, fitting, lackingOf, tableReading } from './sale-layout.ts';
import { assertColumns, proposalFor, type StrangeFile, strange } from './strange-file.ts';

/** Which layout a file was read in, or whose log it is, and why that one. */
export interface LayoutReport {
  /** The source of payrun.json, if one. */
  source: string | null;
  /** The known export, if one. */
  preset: string | null;
  /** Whose events an event log holds; null for a sales file. */
  log: Exclude<SourceConfig['kind'], 'sales_csv' | 'api'> | null;
  /** One sentence for people. */
  why: string;
}

/** A file whose header was read and understood. */
export interface UnderstoodFile extends ReadFile, Omit<Fit, 'why'> {
  layout: LayoutReport;
}

/**
 * Reads the header of a sales file and finds the layout that it has: that of the one of `sources` which fits, each
 * with its own encoding and the like, then that of a known export. `onBytes` is told of the bytes that are read. Raises
 * `file-refused`: when several fit and `origin` does not say which, and when nothing fits, with what the first source
 * misses and a proposal.
 */
export async function understand(
  given: InputFile,
  sources: Source[],
  origin: Origin,
  onBytes?: (bytes: number) => void,
): Promise<UnderstoodFile> {
  const found = await find(given, sources, origin, onBytes);
  if ('layout' in found) return found;
  throw found.read ? strange(found.read, await proposalFor(found.read), found.fault) : found.fault;
}

/**
 * The source `ref` that the columns of a file may mean after what a person has chosen, as payrun.json would have it, and
 * sentences about columns that it does not use. Raises like `understand`, also where the proposal has gaps, and `usage`
 * for a file that needs no mapping and for a choice of a column that the file does not have.
 */
export async function proposedSource(
  given: InputFile,
  sources: Source[],
  { ref, program, choice }: { ref: string; program: string; choice: Choice },
): Promise<ProposedSource> {
  const found = await find(given, sources, async () => undefined);
  if ('layout' in found) {
    throw new PayrunError('usage', 'The file needs no mapping; it is understood as it is.', {
      place: { file: given.shown },
      found: found.layout.why,
      todo: 'Import it without --save-mapping.',
    });
  }
  if (!found.read) throw found.fault;
  assertColumns(found.read, choice);
  const proposal = await proposalFor(found.read, choice);
  if (proposal.missing.length > 0) throw strange(found.read, proposal, found.fault);
  const { mapping, defaults, ignore, decimal, date_format: dateFormat, unused } = proposal;
  const source = {
    ref,
    kind: 'sales_csv',
    program,
    ...(decimal !== undefined && { decimal }),
    ...(dateFormat !== undefined && { date_format: dateFormat }),
    mapping,
    ...(Object.keys(defaults).length > 0 && { defaults }),
    ...(ignore.length > 0 && { ignore }),
  };
  return { source, unused };
}

export interface ProposedSource {
  source: Record<string, unknown>;
  unused: string[];
}

/** `read` is the file as it is read without any source, where one was not named. */
async function find(
  given: InputFile,
  sources: Source[],
  origin: Origin,
  onBytes?: (bytes: number) => void,
): Promise<UnderstoodFile | { read: StrangeFile | undefined; fault: PayrunError }> {
  const faults: PayrunError[] = [];
  const candidates: Candidate[] = [];
  const lacking: string[] = [];
  let read: StrangeFile | undefined;
  for (const alike of alikeInForm(sources)) {
    const canonical = alike.find((one) => one.ref === undefined);
    if (canonical && candidates.length > 0) break;
    const opened = await orFault(() => openAs(alike, given, onBytes));
    if (opened instanceof PayrunError) {
      faults.push(opened);
      continue;
    }
    const fits = await orFault(() => fitting(alike, opened.csv, opened.file.shown));
    lacking.push(...lackingOf(alike, opened.csv, opened.file.shown));
    if (fits instanceof PayrunError) faults.push(fits);
    else candidates.push(...fits.map((fit) => ({ opened, fit })));
    if (canonical) read = { ...opened, source: canonical, lacking };
  }
  if (candidates.length > 0) return understood(await theOne(candidates, origin));
  if (read) presetFor(read.csv.header, { file: read.file.shown, line: read.csv.headerLine });
  return { read, fault: faults[0]! };
}

async function openAs(
  alike: Source[],
  given: InputFile,
  onBytes?: (bytes: number) => void,
): Promise<ReadFile> {
  const { encoding, sheet } = alike[0]!.settings;
  const file = given.as(encoding, sheet);
  const how = tableReading(alike, file.shown);
  const { csv, rejectsOf } = returned(await readCsv(file, { ...how, onBytes }));
  const same = { ...how, delimiter: csv.delimiter, headerLine: csv.headerLine };
  const anew = async () => returned(await readCsv(file, same));
  const rejectsOfFirst = async () => {
    const first = await anew();
    for await (const _ of first.csv.groups) break;
    return first.rejectsOf();
  };
  return { file, csv, rejectsOf, rejectsOfFirst, again: async () => (await anew()).csv };
}

function understood({ opened, fit: { why, ...fit } }: Candidate): UnderstoodFile {
  const layout = { source: fit.source.ref ?? null, preset: fit.preset?.name ?? null, log: null, why };
  return { ...opened, ...fit, layout };
}

/** Sources that read a file in the same way come together, in their order; Payrun's own columns come last. */
function alikeInForm(sources: Source[]): Source[][] {
  const form = ({ ref, settings }: Source) => {
    const { encoding, sheet, delimiter, quotes, trim, header_row: headerLine, allow_partial } = settings;
    return JSON.stringify([
      ref === undefined,
      encoding,
      sheet,
      delimiter,
      quotes,
      trim,
      headerLine,
      allow_partial,
    ]);
  };
  return [...Map.groupBy(sources, form).values()];
}

async function orFault<T>(work: () => T | Promise<T>): Promise<T | PayrunError> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PayrunError) return cause;
    throw cause;
  }
}
