import type { Session } from '../../db/connect.ts';
import { PayrunError } from '../../errors.ts';
import type { DisputeStage } from '../../ledger/dispute.ts';
import type { Mover } from '../../ledger/journal.ts';
import type { ProgramTerms, Tally } from '../../ledger/record.ts';
import type { RefundStage } from '../../ledger/reverse.ts';
import type { WorkAhead } from '../../ledger/work-ahead.ts';
import { type LogLine, logLines } from '../files/ndjson.ts';
import type { InputFile } from '../files/open.ts';
import type { RowCounts } from '../landing.ts';
import type { Rates } from '../rates.ts';
import type { Source } from '../source.ts';
import { parseObject } from './json-object.ts';
import { unwrapped } from './rejects-log.ts';

/** Whose events a log holds: they differ in what a line says, not in how a log lands. */
export type LogKind = 'affonso_events' | 'stripe_events';

/** The lines of a log, and what to read and record them with. */
export interface EventLog {
  /**
   * The lines from the first on, for each reading anew; where work is done `ahead`, also while another reading goes on.
   * Raises `interrupted`.
   */
  lines(): AsyncIterable<LogLine[]>;
  program: ProgramTerms;
  importId: string;
  /** `parked` when the lines are those that were parked, tried again. */
  log: 'new' | 'parked';
  settings: Pick<Source['settings'], 'timezone' | 'id_prefix' | 'test_events'>;
  rates: Rates;
  /** When the log was received: it stands in where a line does not say when it happened. */
  receivedAt: Date;
  /** Works ahead for the sales of a new log. */
  ahead?: WorkAhead;
  /** The SHA-256 of the log, where the same bytes were imported before. */
  again?: string | undefined;
  /** Called as the lines of a reading go by. */
  onLines?(rows: number): void;
}

/** What the lines of a log are read with. */
export type LogReading = Omit<EventLog, 'lines' | 'onLines'>;

/** How the lines of a log ended; with those staged they add up to `rows`. Parked and rejected lines stand in the outcome table. */
export interface RecordedLog {
  rows: number;
  counts: RowCounts;
  tally: Tally;
  warnings: string[];
  /** What is staged to be booked when the sales of the log are recorded; not among the counts. */
  refunds?: RefundStage;
  disputes?: DisputeStage;
}

/** Records a log inside the caller's transaction. */
export type LogRecorder = (session: Session, mover: Mover, log: EventLog) => Promise<RecordedLog>;

/** Whose log a file is, and a sentence that says how that is known. */
export interface FoundKind {
  kind: LogKind;
  why: string;
}

/** Lines that are looked at to find out whose log a file is: the first may be broken ones, as in a rejects file. */
const telling = 20;

/**
 * Whose log a file is, by the shape of its first lines; Affonso's, unless one of them says otherwise. Raises
 * `file-refused` for an empty file, for one of other text such as a table, and for a list as Stripe's API and command
 * line answer with, which is one JSON value.
 */
export async function logKindOf(file: InputFile): Promise<FoundKind> {
  const input = file.read();
  let looked = 0;
  let hasObject = false;
  try {
    for await (const group of unwrapped(logLines(input, file, true))) {
      const first = group[0]!;
      if (first.n === 1 && isOneValue(first.text)) throw oneValueRefused(file.shown, first.line);
      const stripes = group.find(({ text }) => kindOfLine(text) === 'stripe_events');
      if (stripes) return { kind: 'stripe_events', why: `line ${stripes.line} is one of them` };
      hasObject ||= group.some(({ text }) => text.startsWith('{'));
      looked += group.length;
      if (looked >= telling) break;
    }
  } finally {
    input.destroy();
  }
  if (!hasObject) throw noLogRefused(file.shown);
  return { kind: 'affonso_events', why: 'none of its first lines is an event of Stripe’s' };
}

/** Whose event stands on a line: Stripe names the type of each of its objects. */
export function kindOfLine(text: string): LogKind {
  return objectOn(text) === 'event' ? 'stripe_events' : 'affonso_events';
}

function isOneValue(text: string): boolean {
  return text === '{' || objectOn(text) === 'list';
}

function objectOn(text: string): unknown {
  const body = parseObject(text);
  return typeof body === 'string' ? undefined : body.object;
}

function noLogRefused(shown: string): PayrunError {
  return new PayrunError('file-refused', 'This is no event log: none of its first lines is a JSON object.', {
    place: { file: shown, line: 1 },
    todo: 'Import a table of sales with "payrun import sales". Nothing of it was recorded.',
  });
}

function oneValueRefused(shown: string, line: number): PayrunError {
  return new PayrunError('file-refused', 'This is one JSON value; an event log has one JSON object a line.', {
    place: { file: shown, line },
    todo: 'Write each event on a line of its own, for example with: jq -c ".data[]" file.json',
  });
}
