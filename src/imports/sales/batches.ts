import type { RawBuilder } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../../ledger/journal.ts';
import { keepPriced, type PricedBatch } from '../../ledger/priced.ts';
import { passKnown } from '../../ledger/record/known.ts';
import { addVerdicts, noVerdicts, type Verdicts } from '../../ledger/record/verdicts.ts';
import { type Batch, canBePriced, record, recordPriced } from '../../ledger/record.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import { StageLoader } from '../../ledger/stage-loader.ts';
import { type Packet, StageWriter } from '../../ledger/stage-writer.ts';
import type { Likely, WorkAhead } from '../../ledger/work-ahead.ts';

/**
 * Rows that are sent and recorded together: enough to be fast, few enough to stay small in memory. The first are fewer,
 * so that both connections have work early.
 */
export const batchRows = 20_000;
const firstRows = 5_000;

export interface Recording {
  idPrefix: string;
  ahead?: WorkAhead;
  /** The rows are likely to be known. */
  isAgain?: boolean;
  /** What must be done before any row is recorded; what can be done ahead is done meanwhile. */
  after?: Promise<unknown>;
}

/**
 * Collects sales, and records them a batch at a time under ids that begin with `idPrefix`. While one batch is recorded,
 * the next waits; in a file of several batches it is priced `ahead` meanwhile, as long as all that comes is new, or else
 * looked at, as long as all is known.
 */
export function batchRecorder(
  session: Session,
  mover: Mover,
  batch: Batch,
  { idPrefix, ahead, isAgain, after = Promise.resolve() }: Recording,
) {
  const total: Verdicts = { ...noVerdicts };
  // Whose a customer is, and limits that count a referral's sales, go by the time of the sales, whatever order the rows
  // are in: what can't be priced ahead waits in the stage until the last row. A log has named its customers before.
  const isWhole = batch.hasCustomers && (batch.log === undefined || batch.program.hasDurations);
  const writer = new StageWriter(idPrefix, { keepsAll: isWhole });
  const loader = new StageLoader(session, mover.accountId);
  /** Sales in the stage. */
  let waiting = 0;
  let likely: Likely = isAgain ? 'known' : 'new';
  let isAhead = false;
  const underWay: Promise<void>[] = [];
  /** All sales that were recorded so far were priced ahead. */
  let areAllPriced = true;
  let bought: ReturnType<WorkAhead['bought']> | undefined;

  async function send(
    packet: Packet,
    taken: Promise<PricedBatch | 'known' | undefined> | undefined,
    isLast: boolean,
  ): Promise<void> {
    const isPlain = await loader.loadTerms(packet);
    await loader.loadFaults(packet);
    total.rejected += packet.faults.count;
    const ready = await taken;
    if (ready === 'known') {
      total.duplicates += packet.count;
    } else {
      if (await isDone(packet, ready)) return;
      waiting += packet.count;
    }
    if (waiting === 0 || (isWhole && !isLast)) return;
    if (isWhole) await loader.analyse();
    const verdicts = await record(session, mover, batch, isPlain && likely === 'new' && !ready);
    likely = likelyAfter(verdicts, waiting);
    waiting = 0;
    addVerdicts(total, verdicts);
  }

  /** Records the sales of a packet if they are priced, or passes over those that are known; else stages them. */
  async function isDone(packet: Packet, ready: PricedBatch | undefined): Promise<boolean> {
    if (ready && likely === 'new' && waiting === 0) {
      const recorded = await recordPriced(session, mover, batch, ready);
      total.recorded += recorded ?? 0;
      if (recorded !== undefined) return true;
    }
    if (packet.count > 0) areAllPriced = false;
    await loader.loadSales(packet);
    if (likely !== 'known' || waiting > 0) return false;
    const isKnown = await passKnown(session, mover.accountId, batch, packet.count);
    if (isKnown) total.duplicates += packet.count;
    return isKnown;
  }

  async function flush(isLast: boolean): Promise<void> {
    const packet = writer.take();
    if (ahead && underWay.length === 0 && !isLast && canBePriced(batch)) {
      await keepPriced(session);
      isAhead = true;
    }
    const taken = isAhead ? ahead?.take(mover.accountId, batch, packet, likely) : undefined;
    taken?.catch(() => {});
    const before = underWay.at(-1) ?? after;
    const sent = before.then(() => send(packet, taken, isLast));
    sent.catch(() => {});
    underWay.push(sent);
    await underWay.at(isAhead ? -3 : -2);
    if (underWay.length > 3) underWay.shift();
  }

  return {
    /** Returns a promise to wait for when a batch is full. */
    add(sale: StagedSale): Promise<void> | undefined {
      writer.add(sale);
      return writer.holds(underWay.length === 0 ? firstRows : batchRows) ? flush(false) : undefined;
    },
    async finish(): Promise<Verdicts> {
      if (writer.waiting > 0 || isWhole) await flush(true);
      // The last packets are recorded meanwhile.
      if (isAhead && batch.hasCustomers && areAllPriced)
        bought = ahead?.bought(mover.accountId, batch).catch(() => undefined);
      await underWay.at(-1);
      return total;
    },
    /** What the customers bought, where that could be added up ahead; after `finish`. */
    bought(): Promise<RawBuilder<unknown> | undefined> | undefined {
      return areAllPriced ? bought : undefined;
    },
  };
}

/** What comes after rows of which `count` have ended like this. */
function likelyAfter(verdicts: Verdicts, count: number): Likely {
  if (verdicts.recorded === count) return 'new';
  return verdicts.duplicates === count ? 'known' : 'mixed';
}
