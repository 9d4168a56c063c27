import type { Command } from 'commander';
import { csv } from '../csv.ts';
import { allPages, type Page, type PageChoice } from '../db/pages.ts';
import { PayrunError } from '../errors.ts';
import { harmless } from '../spreadsheet.ts';
import { readCount } from './options.ts';
import { type Paint, paragraphs } from './render.ts';
import type { Answer, Shell } from './shell.ts';

export interface ListFlags {
  after?: string;
  limit?: string;
  csv?: boolean;
}

/** A value of a row as JSON and CSV have it: amounts as exact decimals, ids in their public form. */
export type Cell = string | number | Date | null;

/** A list as a command shows it. */
export interface List<Row, Beside = undefined> {
  /** The name of the rows in JSON, and in "There are no …". */
  name: string;
  /** The names of the columns in JSON and CSV, in order, and what a row has there. */
  columns: Record<string, (row: Row) => Cell>;
  read(choice: PageChoice): Promise<Page<Row>>;
  /** Reads what else there is to say of the whole list, such as sums; not asked for CSV. */
  readBeside?(): Promise<Beside>;
  /** The key in `next` as a person types it behind --after; as it is unless given. */
  showKey?(key: string): string;
  /** What a person typed behind --after as a key. Raises `usage`. */
  readKey?(text: string): string;
  /** What stands beside the rows in the JSON document. */
  besideData?(beside: Beside): Record<string, unknown>;
  /** The page for people. */
  describe(paint: Paint, rows: Row[], beside: Beside): string;
}

const shownAtOnce = 50;
const writtenAtOnce = 1_000;

/** Adds --after, --limit and --csv to a command that answers with a list. */
export function withListFlags(command: Command): Command {
  return command
    .option('--after <key>', 'go on behind this row, as the end of the page before it says')
    .option('--limit <count>', `at most so many; ${shownAtOnce}, and as CSV all, when left out`)
    .option('--csv', 'as CSV, for a spreadsheet');
}

/** Answers with one page of a list, or with all of it as CSV, which is printed while it is read. Raises `usage`. */
export async function answerList<Row, Beside>(
  shell: Shell,
  flags: ListFlags,
  list: List<Row, Beside>,
): Promise<Answer> {
  const after = flags.after === undefined ? undefined : (list.readKey?.(flags.after) ?? flags.after);
  const limit = flags.limit === undefined ? undefined : readCount('--limit', flags.limit);
  if (flags.csv) return answerCsv(shell, list, { after, limit });
  const page = await list.read({ after, limit: limit ?? shownAtOnce });
  const beside = (await list.readBeside?.()) as Beside;
  const next = page.next === null ? null : (list.showKey?.(page.next) ?? page.next);
  return {
    data: { [list.name]: page.rows.map((row) => toData(list, row)), ...list.besideData?.(beside), next },
    text: (paint) =>
      paragraphs(list.describe(paint, page.rows, beside), next === null ? '' : `More: --after ${next}`),
  };
}

async function answerCsv<Row, Beside>(
  shell: Shell,
  list: List<Row, Beside>,
  { after, limit }: { after: string | undefined; limit: number | undefined },
): Promise<Answer> {
  if (shell.globals().json) {
    throw new PayrunError('usage', 'A list is printed either as CSV or as JSON.', {
      todo: 'Leave out --csv or --json.',
    });
  }
  const print = (rows: string[][]) => shell.data(csv(rows, '\n').slice(0, -1));
  print([Object.keys(list.columns)]);
  const read = (behind: string | undefined) => list.read({ after: behind, limit: limit ?? writtenAtOnce });
  for await (const page of allPages(read, after)) {
    if (page.rows.length > 0)
      print(page.rows.map((row) => Object.values(list.columns).map((cell) => toText(cell(row)))));
    if (limit !== undefined) break;
  }
  return { data: undefined, text: () => '' };
}

function toData<Row>({ columns }: Pick<List<Row>, 'columns'>, row: Row): Record<string, Cell> {
  return Object.fromEntries(Object.entries(columns).map(([name, cell]) => [name, cell(row)]));
}

function toText(cell: Cell): string {
  if (cell === null) return '';
  return cell instanceof Date ? cell.toISOString() : harmless(String(cell));
}
