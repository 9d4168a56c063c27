import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { CopyLines, copyIn, copyText } from '../../db/copy.ts';

/** A refund on its way into the ledger, the same whichever door it came through. */
export interface StagedRefund {
  /** Number of the record in its file, from 1, and the line on which it begins. */
  n: number;
  line: number;
  /** The refund's own id, with the source's prefix, unique among the refunds and the sales of the account. */
  externalId: string;
  /** The external id of the sale that is refunded, with the source's prefix. */
  saleExternalId: string;
  /** Minor units of `currency`, more than zero: this refund's amount, or with `isTotal` all that was refunded so far. */
  amount: bigint;
  isTotal: boolean;
  currency: string;
  /** ISO 8601 with an offset. Without `occurredAtGiven` it is the time of receipt, and no fact. */
  occurredAt: string;
  occurredAtGiven: boolean;
  /**
   * The record is that of the sale as well, which was staged for `record` with the same n: when that rejects it or
   * finds a conflict, its refund is not looked at.
   */
  besideSale?: boolean;
}

const batchLines = 20_000;

/** Collects refunds and copies them to the temporary table `refund_stage`, which `reverse` takes them from. */
export class RefundStage {
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
      drop table if exists pg_temp.refund_stage;
      create temp table refund_stage (n integer not null, line integer not null, external_id text not null,
        sale_external_id text not null, amount bigint not null, is_total boolean not null, currency text not null,
        occurred_at timestamptz not null, occurred_at_given boolean not null, beside_sale boolean not null default false,
        dispute_id uuid, parked_id uuid, import_id uuid) on commit drop`);
    return this;
  }

  /** Returns a promise to wait for when many wait to be sent. */
  add(refund: StagedRefund): Promise<void> | undefined {
    const { n, line, externalId, saleExternalId, amount, isTotal, currency, occurredAt } = refund;
    const ids = [copyText(externalId), copyText(saleExternalId)];
    const flags = [refund.occurredAtGiven, refund.besideSale ?? false];
    this.#lines.add(`${[n, line, ...ids, amount, isTotal, currency, occurredAt, ...flags].join('\t')}\n`);
    this.count += 1;
    return this.#lines.count >= batchLines ? this.flush() : undefined;
  }

  async flush(): Promise<void> {
    const lines = this.#lines;
    this.#lines = new CopyLines();
    if (lines.count > 0) await copyIn(this.#session, copyRefunds, lines.pieces());
  }
}

const copyRefunds = sql`copy refund_stage (n, line, external_id, sale_external_id, amount, is_total, currency, occurred_at,
  occurred_at_given, beside_sale) from stdin`;
