import type { SaleField } from '../../config-source.ts';
import type { Session } from '../../db/connect.ts';
import { DisputeStage, dispute, disputeParking } from '../../ledger/dispute.ts';
import type { Mover } from '../../ledger/journal.ts';
import { hasParked } from '../../ledger/parked.ts';
import { RefundStage, type Reversed, refundParking, reverse } from '../../ledger/reverse.ts';
import { createStage, type StagedSale } from '../../ledger/stage.ts';
import { formatAmount } from '../../money.ts';
import type { Outcome } from '../../runs/work.ts';
import { type RowCounts, totalsOf, warningOf } from '../landing.ts';

type Ended = Omit<RowCounts, 'ignored'>;

/** How the rows of a file have ended, and the sums in minor units by currency. */
interface Settled {
  counts: Ended;
  sales: Map<string, bigint>;
  commissions: Map<string, bigint>;
}

/** Collects the refunds of a sales file; undefined where it has no column for them. */
export async function refundsBeside(session: Session, mover: Mover, fields: readonly SaleField[]) {
  if (!fields.some((field) => field === 'refund_of' || field === 'refunded_total')) return undefined;
  const stage = await new RefundStage(session).open();
  return { stage, add: (sale: StagedSale) => addRefund(stage, sale, mover.now) };
}

/**
 * A row that is a refund, or a sale that says how much of it was refunded. That total has no id of its own: it gets the
 * sale's with the total behind it. Nor has it a moment: the time of receipt stands in. That nothing was refunded is of
 * interest for a sale alone that was; `record` finds those, and stages them.
 */
function addRefund(stage: RefundStage, sale: StagedSale, now: Date): Promise<void> | undefined {
  const { n, line, refundOf, refundedTotal, fault } = sale;
  if (fault !== undefined) return undefined;
  const currency = sale.currency!;
  const externalId = sale.externalId!;
  if (refundOf !== undefined)
    return stage.add({
      n,
      line,
      externalId,
      saleExternalId: refundOf,
      amount: sale.amount!,
      isTotal: sale.isTotal ?? false,
      currency,
      occurredAt: sale.occurredAt!,
      occurredAtGiven: true,
    });
  if (refundedTotal === undefined || refundedTotal === 0n) return undefined;
  return stage.add({
    n,
    line,
    externalId: `${externalId}#refunded:${formatAmount(refundedTotal, currency)}`,
    saleExternalId: externalId,
    amount: refundedTotal,
    isTotal: true,
    currency,
    occurredAt: now.toISOString(),
    occurredAtGiven: false,
    besideSale: true,
  });
}

/**
 * Books the refunds and disputes of a file, once its sales are recorded, and those that earlier imports have parked; adds them to how
 * the file's rows ended. A row that is a sale and a refund ends as the sale did, but as updated when the sale was known
 * and the refund is new, and in conflict when the refund is.
 */
export async function settleRefunds(
  session: Session,
  mover: Mover,
  importId: string,
  {
    refunds,
    disputes,
    isAgain = false,
  }: { refunds?: RefundStage; disputes?: DisputeStage; isAgain?: boolean },
  settled: Settled,
): Promise<Settled & { changes: string[] }> {
  const disputesWait = await hasParked(session, mover.accountId, disputeParking);
  const refundsWait = await hasParked(session, mover.accountId, refundParking);
  const hasRefunds = refunds !== undefined && (refunds.count > 0 || (await refunds.holdsAny()));
  if (!disputesWait && !refundsWait && !hasRefunds && !disputes?.count) return { ...settled, changes: [] };
  await (refunds ?? (await new RefundStage(session).open())).flush();
  const counts = { ...settled.counts };
  if (disputesWait || disputes?.count) {
    await (disputes ?? (await new DisputeStage(session).open())).flush();
    const disputed = await dispute(session, mover, importId);
    for (const [verdict, rows] of Object.entries(disputed.rows)) counts[verdict as keyof Ended] += rows;
  }
  const reversed = await reverse(session, mover, importId, isAgain);
  for (const [verdict, rows] of Object.entries(reversed.rows)) counts[verdict as keyof Ended] += rows;
  for (const { sale, refund, rows } of reversed.besideSales) {
    const isNew = refund === 'recorded';
    const ended =
      isNew && sale === 'duplicates' ? 'updated' : isNew || refund === 'duplicates' ? sale : refund;
    counts[sale] -= rows;
    counts[ended] += rows;
  }
  return {
    counts,
    sales: added(settled.sales, reversed.sales),
    commissions: added(settled.commissions, reversed.commissions),
    changes: changesOf(reversed),
  };
}

/** Tries the parked refunds and disputes of the account again, whose sales may have come in another way. */
export async function retryParkedRefunds(session: Session, mover: Mover): Promise<Outcome> {
  const counts = { rows: 0, recorded: 0, duplicates: 0, conflicts: 0, still_parked: 0 };
  const disputesWait = await hasParked(session, mover.accountId, disputeParking);
  if (!disputesWait && !(await hasParked(session, mover.accountId, refundParking)))
    return { counts, totals: {} };
  await createStage(session);
  await new RefundStage(session).open();
  if (disputesWait) {
    const { recorded, duplicates, conflicts, rejected } = (await retryDisputes(session, mover)).parked;
    counts.rows += recorded + duplicates + conflicts + rejected;
    counts.recorded += recorded;
    counts.duplicates += duplicates;
    counts.conflicts += conflicts;
    counts.still_parked += rejected;
  }
  const { parked, sales, commissions } = await reverse(session, mover, null);
  const { recorded, duplicates, conflicts, refused } = parked;
  return {
    counts: {
      rows: counts.rows + recorded + duplicates + conflicts + refused,
      recorded: counts.recorded + recorded,
      duplicates: counts.duplicates + duplicates,
      conflicts: counts.conflicts + conflicts,
      still_parked: counts.still_parked + refused,
    },
    totals: totalsOf({ sales, commissions }),
    exitCode: counts.conflicts + conflicts > 0 ? 3 : 0,
  };
}

async function retryDisputes(session: Session, mover: Mover) {
  await new DisputeStage(session).open();
  return dispute(session, mover, null);
}

function changesOf({ parked }: Reversed): string[] {
  return [
    ...warningOf(
      parked.recorded,
      'refund that had waited for its sale was recorded',
      'refunds that had waited for their sales were recorded',
    ),
    ...warningOf(
      parked.refused,
      'refund that had waited for its sale does not fit it, and waits on',
      'refunds that had waited for their sales do not fit them, and wait on',
    ),
  ];
}

function added(sums: Map<string, bigint>, more: Map<string, bigint>): Map<string, bigint> {
  const total = new Map(sums);
  for (const [currency, amount] of more) total.set(currency, (total.get(currency) ?? 0n) + amount);
  return total;
}
