import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { copyText } from '../../db/copy.ts';
import type { Parking } from '../parked.ts';
import { RowStage, type StageTable } from '../row-stage.ts';

/** A refund on its way into the ledger, the same whichever door it came through. */
export interface StagedRefund {
  /** Number of the record in its file, from 1, and the line on which it begins. */
  n: number;
  line: number;
  /** The refund's own id, with the source's prefix, unique among the refunds and the sales of the account. */
  externalId: string;
  /** The external id of the sale that is refunded, with the source's prefix. */
  saleExternalId: string;
  /** Minor units of `currency`: this refund's amount, more than zero, or with `isTotal` all that was refunded so far. */
  amount: bigint;
  isTotal: boolean;
  currency: string;
  /** ISO 8601 with an offset. Without `occurredAtGiven` it is the time of receipt, and no fact. */
  occurredAt: string;
  occurredAtGiven: boolean;
  /**
   * The refund of that amount, which was made at `madeAt` (ISO 8601), has failed or was canceled: what had been taken for
   * it comes back, as far as totals that were told since then have not said so.
   */
  givesBack?: boolean;
  madeAt?: string | undefined;
  /** A person has accepted the total: it counts whatever was recorded before. */
  accepted?: boolean;
  /**
   * The record is that of the sale as well, which was staged for `record` with the same n: when that rejects it or
   * finds a conflict, its refund is not looked at.
   */
  besideSale?: boolean;
}

/** Staged and parked refunds. */
export const refundParking: Parking = {
  stage: 'refund_stage',
  parked: 'parked_refund',
  facts: [
    'amount',
    'is_total',
    'currency',
    'occurred_at',
    'occurred_at_given',
    'gives_back',
    'made_at',
    'accepted',
  ],
  replaces: sql`(p.sale_external_id <> s.sale_external_id or p.amount <> s.amount or p.is_total <> s.is_total
    or p.currency <> s.currency
    or (p.occurred_at <> s.occurred_at and p.occurred_at_given and s.occurred_at_given and not s.gives_back))`,
  below: 0,
};

const table: StageTable<StagedRefund> = {
  name: refundParking.stage,
  columns: [
    'n integer not null',
    'line integer not null',
    'external_id text not null',
    'sale_external_id text not null',
    'amount bigint not null',
    'is_total boolean not null',
    'currency text not null',
    'occurred_at timestamptz not null',
    'occurred_at_given boolean not null',
    'gives_back boolean not null default false',
    'made_at timestamptz',
    'accepted boolean not null default false',
    'beside_sale boolean not null default false',
  ],
  later: ['dispute_id uuid', 'parked_id uuid', 'import_id uuid'],
  values: (refund) => [
    refund.n,
    refund.line,
    copyText(refund.externalId),
    copyText(refund.saleExternalId),
    refund.amount,
    refund.isTotal,
    refund.currency,
    refund.occurredAt,
    refund.occurredAtGiven,
    refund.givesBack ?? false,
    refund.madeAt ?? '\\N',
    refund.accepted ?? false,
    refund.besideSale ?? false,
  ],
};

/** Collects refunds in the temporary table `refund_stage`, which `reverse` takes them from. */
export class RefundStage extends RowStage<StagedRefund> {
  constructor(session: Session) {
    super(session, table);
  }
}
