import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { copyText } from '../../db/copy.ts';
import type { DisputeState } from '../../db/tables.ts';
import type { Parking } from '../parked.ts';
import { RowStage, type StageTable } from '../row-stage.ts';

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
  /** A person has accepted the end: it counts whatever was recorded before. */
  accepted?: boolean;
}

/** Staged and parked disputes; their numbers stay clear of those of parked refunds. */
export const disputeParking: Parking = {
  stage: 'dispute_stage',
  parked: 'parked_dispute',
  facts: ['state', 'amount', 'currency', 'occurred_at'],
  replaces: sql`p.state = s.state
    and (p.sale_external_id <> s.sale_external_id or p.amount <> s.amount or p.currency <> s.currency)`,
  below: -1_000_000_000,
};

const table: StageTable<StagedDispute> = {
  name: disputeParking.stage,
  columns: [
    'n integer not null',
    'line integer not null',
    'external_id text not null',
    'sale_external_id text not null',
    'state text not null',
    'amount bigint not null',
    'currency text not null',
    'occurred_at timestamptz not null',
    'accepted boolean not null default false',
  ],
  later: ['parked_id uuid', 'import_id uuid'],
  values: (dispute) => [
    dispute.n,
    dispute.line,
    copyText(dispute.externalId),
    copyText(dispute.saleExternalId),
    dispute.state,
    dispute.amount,
    dispute.currency,
    dispute.occurredAt,
    dispute.accepted ?? false,
  ],
};

/** Collects disputes in the temporary table `dispute_stage`, which `dispute` takes them from. */
export class DisputeStage extends RowStage<StagedDispute> {
  constructor(session: Session) {
    super(session, table);
  }
}
