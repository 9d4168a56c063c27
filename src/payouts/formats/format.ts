import type { Session } from '../../db/connect.ts';
import type { PayoutMethod } from '../../db/tables.ts';
import type { LineChoice } from '../lines.ts';

/** What every line of a file has, whatever its format asks for besides; `amount` in minor units. */
export interface Line {
  /** The payout's reference for the outside. */
  reference: string;
  amount: bigint;
}

/** One layout of payout files: which lines it is made of, and how they become the text of a file. */
export interface Format<L extends Line> {
  /** As people name it, and as it stands in the file's name. */
  name: string;
  /** The methods of payment whose batches leave in this format. */
  methods: readonly PayoutMethod[];
  extension: string;
  /** More rows than this are split into several files. */
  maxRows: number;
  /** The lines of a batch, a page at a time, always in the same order: one of the readers in lines.ts. */
  read(session: Session, choice: LineChoice): AsyncIterable<L[]>;
  /** Why the receiver would not take this line as it is, in words for people; undefined when it would. */
  refuse?(line: L): string | undefined;
  /** The text of one file, in pieces. */
  write(pages: AsyncIterable<L[]>): AsyncIterable<string>;
}
