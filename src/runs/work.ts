import type { Context } from '../context.ts';
import type { Db, Session } from '../db/connect.ts';
import type { Mover } from '../ledger/journal.ts';

/** What a run did: stored with the run, printed by the command, returned by the API. */
export interface Outcome {
  counts: Record<string, number>;
  /** Currency to named amounts, as exact decimals: `{ "USD": { "sales": "99.00" } }`. */
  totals: Record<string, Record<string, string>>;
  report?: unknown;
  /**
   * 3 when the work was done but left something for a person: rejects, conflicts, breaks. 1 when a part of it
   * failed and the rest was done; the run then counts as failed.
   */
  exitCode?: 0 | 1 | 3;
  /** One sentence that says what failed, beside exit code 1. */
  message?: string;
}

/** The work of one transaction; what it moves is moved by `mover`, at the moment when the transaction began. */
export type Part<T> = (session: Session, mover: Mover) => Promise<T>;

/** What the code of one run may use: its identity, its parameters, and transactions that only its fence can commit. */
export interface Work {
  context: Context<Db>;
  account: { id: number; ref: string };
  runId: string;
  job: string;
  /** The moment for which the run decides: holds that ended by it are due. */
  asOf: Date;
  /** Everything is done and then rolled back. */
  dryRun: boolean;
  /**
   * Runs `work` in one transaction, proves what it has moved, stores the outcome with the run and commits, all guarded by
   * the run's fence. Raises `books-adrift` or `lease-lost`, and then nothing was kept. The counts and totals of
   * several transactions add up to those of the run.
   */
  transaction<T extends Outcome>(work: Part<T>): Promise<T>;
  /**
   * Several such transactions at once, each on a connection of its own, for work in parts that have nothing to do with
   * each other; in a dry run one after another. Returns the sum of their outcomes when all have ended. Raises what the
   * first of those raised that failed; what the others did is kept, and counted.
   */
  transactions<T extends Outcome>(parts: readonly Part<T>[]): Promise<T>;
  /**
   * Has `tidy` done when no transaction of the run is open: at once, but in a dry run when all of it was rolled back.
   * `tidy` must not raise.
   */
  afterwards(tidy: () => Promise<void>): Promise<void>;
  /**
   * Runs another job as a child of this run, for the same account and moment. Never raises for a failed child, only
   * `interrupted` and `lease-lost`, after which this run may not go on either.
   */
  step(job: string, parameters?: Record<string, unknown>): Promise<StepResult>;
}

export interface StepResult {
  job: string;
  runId: string | undefined;
  /** Exit code the job would have had as a command. */
  exitCode: number;
  outcome: Outcome | undefined;
  /** One sentence, when it failed. */
  message: string | undefined;
}
