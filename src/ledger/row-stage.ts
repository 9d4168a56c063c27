import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { CopyLines, copyIn } from '../db/copy.ts';

/** A temporary table that rows are staged in. */
export interface StageTable<Row> {
  name: string;
  /** The columns that rows fill, and those that are filled later by the ledger: each `name type`, in SQL. */
  columns: readonly string[];
  later: readonly string[];
  /** A row's values in the order of `columns`; texts as COPY wants them (see `copyText`). */
  values(row: Row): unknown[];
}

const batchLines = 20_000;

/** Collects rows and copies them to their temporary table, which the ledger takes them from. */
export class RowStage<Row> {
  readonly #session: Session;
  readonly #table: StageTable<Row>;
  readonly #copy;
  #lines = new CopyLines();
  /** How many were added. */
  count = 0;

  constructor(session: Session, table: StageTable<Row>) {
    this.#session = session;
    this.#table = table;
    const names = table.columns.map((column) => column.split(' ', 1)[0]!);
    this.#copy = sql`copy ${sql.table(table.name)} (${sql.raw(names.join(', '))}) from stdin`;
  }

  /** Creates the table anew, for one import; it vanishes with the transaction. */
  async open(): Promise<this> {
    const { name, columns, later } = this.#table;
    await this.#session.client.query(`
      drop table if exists pg_temp.${name};
      create temp table ${name} (${[...columns, ...later].join(', ')}) on commit drop`);
    return this;
  }

  /** Returns a promise to wait for when many wait to be sent. */
  add(row: Row): Promise<void> | undefined {
    this.#lines.add(`${this.#table.values(row).join('\t')}\n`);
    this.count += 1;
    return this.#lines.count >= batchLines ? this.flush() : undefined;
  }

  /** Whether there are rows in the table, whoever has put them there. */
  async holdsAny(): Promise<boolean> {
    const found = await sql`select from ${sql.table(this.#table.name)} limit 1`.execute(this.#session.sql);
    return found.rows.length > 0;
  }

  async flush(): Promise<void> {
    const lines = this.#lines;
    this.#lines = new CopyLines();
    if (lines.count > 0) await copyIn(this.#session, this.#copy, lines.pieces());
  }
}
