import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { CopyLines, copyIn, copyText } from '../../db/copy.ts';
import type { DisputeState } from '../../db/tables.ts';

/** One thing that happened to a dispute, on its way into the ledger; they may come in any order, and more than once. */
export interface StagedDispute {
  /** Number of the record in its file, from 1, and the line on which it begins. */
  n: number;
  line: number;
  /** The dispute's own id, with the source's prefix: the same for its opening and its end. */
  externalId: string;
  /** The external id of the sale that it is about, with the source's prefix. */
  saleExternalId: string;
  state: DisputeState;
  /** Minor units of `currency`, more than zero: what is disputed, which a lost dispute takes of the sale. */
  amount: bigint;
  currency: string;
  /** ISO 8601 with an offset. */
  occurredAt: string;
}

const batchLines = 20_000;

/** Collects disputes and copies them to the temporary table `dispute_stage`, which `dispute` takes them from. */
export class DisputeStage {
  readonly #session: Session;
  #lines = new CopyLines();
  /** How many were added. */
  count = 0;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Creates the table anew, for one import; it vanishes with the transaction. */
  async open(): Promise<this> {
    await this.#session.client.query(`
      drop table if exists pg_temp.dispute_stage;
      create temp table dispute_stage (n integer not null, line integer not null, external_id text not null,
        sale_external_id text not null, state text not null, amount bigint not null, currency text not null,
        occurred_at timestamptz not null, parked_id uuid, import_id uuid) on commit drop`);
    return this;
  }

  /** Returns a promise to wait for when many wait to be sent. */
  add(dispute: StagedDispute): Promise<void> | undefined {
    const { n, line, externalId, saleExternalId, state, amount, currency, occurredAt } = dispute;
    const ids = [copyText(externalId), copyText(saleExternalId)];
    this.#lines.add(`${[n, line, ...ids, state, amount, currency, occurredAt].join('\t')}\n`);
    this.count += 1;
    return this.#lines.count >= batchLines ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    const lines = this.#lines;
    this.#lines = new CopyLines();
    if (lines.count > 0) await copyIn(this.#session, copyDisputes, lines.pieces());
  }
}

const copyDisputes = sql`copy dispute_stage (n, line, external_id, sale_external_id, state, amount, currency, occurred_at)
  from stdin`;
