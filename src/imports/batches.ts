import type { Session } from '../db/connect.ts';
import type { Mover } from '../ledger/journal.ts';
import { type Batch, noVerdicts, record, type Verdicts } from '../ledger/record.ts';
import type { StagedSale } from '../ledger/stage.ts';
import { type Packet, StageWriter } from '../ledger/stage-writer.ts';

/** Rows that are sent and recorded together: enough to be fast, few enough to stay small in memory. */
export const batchRows = 25_000;

/**
 * Collects sales, which have no other fields than `fields`, and records them a batch at a time under ids that begin
 * with `idPrefix`; at most one batch waits while another is recorded.
 */
export function batchRecorder(
  session: Session,
  mover: Mover,
  batch: Batch,
  { fields, idPrefix }: { fields: Iterable<keyof StagedSale>; idPrefix: string },
) {
  const total: Verdicts = { ...noVerdicts };
  // Limits that count a referral's sales in order need the whole file at once, whatever order its rows are in.
  const isWhole = batch.program.hasDurations && batch.hasCustomers;
  const writer = new StageWriter(fields, idPrefix, { keepsAll: isWhole });
  let staged = 0;
  let expectsNew = true;
  let underWay: Promise<void> = Promise.resolve();

  async function send(packet: Packet, isLast: boolean): Promise<void> {
    const isPlain = await writer.write(session, mover.accountId, packet);
    total.rejected += packet.faults.count;
    const isFirst = staged === 0;
    staged += packet.count;
    if (isFirst || (isWhole && isLast)) await session.client.query('analyze stage, name, terms');
    if (staged === 0 || (isWhole && !isLast)) return;
    const verdicts = await record(session, mover, batch, isPlain && expectsNew);
    expectsNew = verdicts.recorded > 0 && verdicts.recorded === packet.count;
    for (const key of Object.keys(total) as (keyof Verdicts)[]) total[key] += verdicts[key];
  }

  async function flush(isLast: boolean): Promise<void> {
    const packet = writer.take();
    await underWay;
    underWay = send(packet, isLast);
    underWay.catch(() => {});
  }

  return {
    /** Returns a promise to wait for when a batch is full. */
    add(sale: StagedSale): Promise<void> | undefined {
      writer.add(sale);
      return writer.waiting >= batchRows ? flush(false) : undefined;
    },
    async finish(): Promise<Verdicts> {
      if (writer.waiting > 0 || isWhole) await flush(true);
      await underWay;
      return total;
    },
  };
}
