import leven from 'leven';
import { listed, PayrunError } from '../errors.ts';

/** Where the cells of a canonical field are: the index of its column. */
export type Columns<Field extends string> = Map<Field, number>;

/** What a person says of the columns: field to header, or to a position as `#3`. */
export type Mapping = Partial<Record<string, string>>;

export interface Layout<Field extends string> {
  fields: readonly Field[];
  required: readonly Field[];
  /** Field to header, or to a position as `#3`; without it the header holds the canonical names. */
  mapping?: Partial<Record<Field, string>> | undefined;
  /** Fields that have a value even where the file has no column for them. */
  defaults?: Partial<Record<Field, string>> | undefined;
  /** Whether no source can map its columns, so that they are named as the fields are. */
  namesAreFixed?: boolean;
}

/** Columns that a rejects file adds; they are ignored when the corrected file comes back. */
export const rejectColumns = ['import', 'line', 'error', 'field', 'message', 'suggestion'];

/**
 * Finds the column of every field. Headers are compared trimmed and without regard to case. Raises `file-refused`
 * when a mapped or required column is missing or stands twice, naming the headers that the file has.
 */
export function findColumns<Field extends string>(
  header: string[],
  layout: Layout<Field>,
  place: { file: string; line: number },
): Columns<Field> {
  const columns: Columns<Field> = new Map();
  for (const field of layout.fields) {
    const wanted = layout.mapping?.[field] ?? field;
    const at = positionOf(wanted, header, place, layout);
    if (at !== undefined) columns.set(field, at);
    else if (layout.mapping?.[field] !== undefined || isMissing(field, layout))
      throw missing(wanted, field, header, place, layout);
  }
  return columns;
}

function isMissing<Field extends string>(field: Field, layout: Layout<Field>): boolean {
  return layout.required.includes(field) && layout.defaults?.[field] === undefined;
}

function positionOf(
  wanted: string,
  header: string[],
  place: { file: string; line: number },
  { namesAreFixed }: Pick<Layout<string>, 'namesAreFixed'>,
): number | undefined {
  const matches = columnsNamed(wanted, header);
  if (matches.length > 1) {
    const at = listed(matches.map((index) => `#${index + 1}`));
    throw new PayrunError(
      'file-refused',
      `The header has the column "${wanted}" ${matches.length} times (${at}).`,
      {
        place,
        todo: namesAreFixed
          ? `Remove one of them, or say which is meant: --map ${fold(wanted).replaceAll(' ', '_')}="#${matches[0]! + 1}".`
          : `Remove one of them, or map the field to a position such as "${`#${matches[0]! + 1}`}" in payrun.json.`,
      },
    );
  }
  return matches[0];
}

/** The first column that is meant by `wanted`, a name or a position such as `#3`. */
export function columnNamed(wanted: string, header: string[]): number | undefined {
  return columnsNamed(wanted, header)[0];
}

function columnsNamed(wanted: string, header: string[]): number[] {
  const position = /^#(\d+)$/.exec(wanted)?.[1];
  const isMeant = (name: string, at: number) =>
    position === undefined ? fold(name) === fold(wanted) : at + 1 === Number(position);
  return header.flatMap((name, at) => (isMeant(name, at) ? [at] : []));
}

function missing(
  wanted: string,
  field: string,
  header: string[],
  place: { file: string; line: number },
  { namesAreFixed }: Pick<Layout<string>, 'namesAreFixed'>,
): PayrunError {
  const near = header.find((name) => leven(fold(name), fold(wanted)) <= 2);
  const what =
    wanted === field
      ? `The file has no column "${wanted}".`
      : `The file has no column "${wanted}" for ${field}.`;
  return new PayrunError('file-refused', near ? `${what} Did you mean "${near}"?` : what, {
    place,
    found: listed(header),
    todo: namesAreFixed
      ? 'Name the column so in the file.'
      : 'Name the column so in the file, or map it in the source of payrun.json and import with --source.',
  });
}

/** The form in which headers are compared. */
export function fold(name: string): string {
  return name.trim().normalize('NFC').toLowerCase();
}
