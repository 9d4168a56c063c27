import { listed, PayrunError } from '../../errors.ts';
import type { InputFile } from '../files/open.ts';
import type { CsvFile } from '../files/records.ts';
import type { Source } from '../source.ts';
import type { Fit } from './sale-layout.ts';

/** A file whose header was read. */
export interface ReadFile {
  file: InputFile;
  csv: CsvFile;
  /** Reads the file anew, from its first row. */
  again(): Promise<CsvFile>;
  /** The import that rejected its rows, if they say so; known when they have been read. */
  rejectsOf(): string | undefined;
  /** The same, looked up in its first rows. */
  rejectsOfFirst(): Promise<string | undefined>;
}

/** A file, and how a source would read it. */
export interface Candidate {
  opened: ReadFile;
  fit: Fit;
}

/** The ref of the source by which a file was read whose rejects `file` is, if it is such a file. */
export type Origin = (file: ReadFile) => Promise<string | undefined>;

/**
 * The way to read a file that several sources may fit. Column names say more than positions, which any file has that is
 * wide enough; rejects are read as the file that they came from. Else the programme and with it the commission would be
 * guessed: raises `file-refused`, naming the sources.
 */
export async function theOne(candidates: Candidate[], origin: Origin): Promise<Candidate> {
  const byName = candidates.filter(({ fit }) => !isByPosition(fit.source));
  const fit = byName.length > 0 ? byName : candidates;
  if (candidates.length === 1) return fit[0]!;
  const ref = await origin(candidates[0]!.opened);
  const first = candidates.find(({ fit: { source } }) => ref !== undefined && source.ref === ref);
  if (first) return first;
  if (fit.length === 1) return fit[0]!;
  const { file, csv } = fit[0]!.opened;
  const refs = fit.map(({ fit: { source } }) => `"${source.ref}"`);
  throw new PayrunError('file-refused', 'The header fits several sources of payrun.json.', {
    place: { file: file.shown, line: csv.headerLine },
    found: listed(refs),
    todo: 'Name the one that the file is for with --source, or put it into that one’s folder of the inbox. Nothing of it was recorded.',
  });
}

function isByPosition({ settings: { mapping, preset } }: Source): boolean {
  const wanted = Object.values(mapping ?? {});
  return preset === undefined && wanted.length > 0 && wanted.every((name) => /^#\d+$/.test(name));
}
