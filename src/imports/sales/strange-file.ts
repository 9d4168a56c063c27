import { listed, PayrunError } from '../../errors.ts';
import type { Source } from '../source.ts';
import type { ReadFile } from './candidates.ts';
import { ColumnValues } from './column-values.ts';
import { type Proposal, propose } from './proposal.ts';
import { type Choice, isNamed } from './proposal-columns.ts';

/** A file that no layout fits, read in the canonical form of `source`. */
export type StrangeFile = ReadFile & {
  source: Source;
  /** What each source of payrun.json misses in it, a sentence each. */
  lacking: string[];
};

const mostSources = 10;

/**
 * A file that nothing fits, with what each source misses and a proposal what its columns may mean: the next step is a
 * person's.
 */
export function strange(read: StrangeFile, { lines, missing }: Proposal, fault: PayrunError): PayrunError {
  const hasOwn = read.lacking.length > 0;
  const more = read.lacking.length - mostSources;
  const lacking = [
    ...read.lacking.slice(0, mostSources),
    ...(more > 0 ? [`and ${more} more sources that do not fit`] : []),
  ];
  const what =
    'The header fits no source of payrun.json, and neither Payrun’s own columns nor a known export.';
  const decideIt =
    'Name the columns as Payrun does, or import with --save-mapping and a name for the source that it makes in payrun.json; decide what is open with --map <field>="<column>" and --ignore "<column>".';
  const acceptIt =
    'If that is what the columns mean, import with --save-mapping and a name for the source that it makes in payrun.json.';
  const found = hasOwn ? listed(read.csv.header) : fault.found;
  return new PayrunError('file-refused', hasOwn ? what : fault.message, {
    place: placeOf(read),
    ...(found === undefined ? {} : { found }),
    aside: [...lacking, ...lines],
    todo: missing.length === 0 ? acceptIt : decideIt,
  });
}

/** Raises `usage` where a person has chosen a column that the file does not have. */
export function assertColumns({ file, csv }: ReadFile, { mapping, ignore }: Choice): void {
  const isThere = (name: string) => csv.header.some((header, at) => isNamed({ header, at }, name));
  const strangers = [
    ...Object.values(mapping).flatMap((name) => (isThere(name) ? [] : [['--map', name] as const])),
    ...ignore.flatMap((name) => (isThere(name) ? [] : [['--ignore', name] as const])),
  ];
  if (strangers.length === 0) return;
  const [[field, name]] = strangers as [readonly [string, string]];
  throw new PayrunError('usage', `The file has no column "${name}".`, {
    place: { file: file.shown, line: csv.headerLine, field },
    found: listed(csv.header),
    todo: 'Name a header of the file, or a position such as "#3".',
  });
}

/** What the columns of a file may mean. Reads it once more for what a person has to see of it in order to decide. */
export async function proposalFor({ csv, again, source }: StrangeFile, choice?: Choice): Promise<Proposal> {
  let rows: string[][] = [];
  for await (const group of csv.groups) {
    rows = group.slice(0, rowsLookedAt).map((record) => record.cells);
    break;
  }
  const first = propose(csv.header, rows, source.currency, choice);
  if (first.looksAt.length === 0) return first;
  const seen = new Map(first.looksAt.map(({ at, decimal }) => [at, new ColumnValues(decimal)]));
  for await (const group of (await again()).groups) {
    for (const { cells } of group) for (const [at, values] of seen) values.add(cells[at] ?? '');
  }
  return propose(csv.header, rows, source.currency, choice, seen);
}

const rowsLookedAt = 100;

function placeOf({ file, csv }: ReadFile): { file: string; line: number } {
  return { file: file.shown, line: csv.headerLine };
}
