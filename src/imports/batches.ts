import type { Session } from '../db/connect.ts';
import { CopyLines } from '../db/copy.ts';
import type { Mover } from '../ledger/journal.ts';
import { type Batch, record, type Verdicts } from '../ledger/record.ts';
import type { StageWriter } from '../ledger/stage.ts';

/** Rows that are sent and recorded together: enough to be fast, few enough to stay small in memory. */
export const batchRows = 25_000;

/** Collects lines and records them a batch at a time; at most one batch waits while another is recorded. */
export function batchRecorder(session: Session, mover: Mover, batch: Batch, writer: StageWriter) {
  const total: Verdicts = {
    recorded: 0,
    updated: 0,
    duplicates: 0,
    conflicts: 0,
    rejected: 0,
    parked: 0,
    otherAffiliate: 0,
  };
  // Limits that count a referral's sales in order need the whole file at once, whatever order its rows are in.
  const isWhole = batch.program.hasDurations && batch.hasCustomers;
  let lines = new CopyLines();
  let staged = 0;
  let underWay: Promise<void> = Promise.resolve();

  async function send(ready: CopyLines, isLast: boolean): Promise<void> {
    await writer.write(session, ready);
    const isFirst = staged === 0;
    staged += ready.count;
    if (isFirst || (isWhole && isLast)) await session.client.query('analyze stage');
    if (isWhole && !isLast) return;
    const verdicts = await record(session, mover, batch);
    for (const key of Object.keys(total) as (keyof Verdicts)[]) total[key] += verdicts[key];
  }

  async function flush(isLast: boolean): Promise<void> {
    const ready = lines;
    lines = new CopyLines();
    await underWay;
    underWay = send(ready, isLast);
    underWay.catch(() => {});
  }

  return {
    /** Returns a promise to wait for when a batch is full. */
    add(line: string): Promise<void> | undefined {
      lines.add(line);
      return lines.count >= batchRows ? flush(false) : undefined;
    },
    async finish(): Promise<Verdicts> {
      if (lines.count > 0 || (isWhole && staged > 0)) await flush(true);
      await underWay;
      return total;
    },
  };
}
