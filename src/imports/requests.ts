import { setTimeout as wait } from 'node:timers/promises';
import { Batcher } from '../batcher.ts';
import type { Db, Session } from '../db/connect.ts';
import { assertMoved } from '../ledger/audit.ts';
import type { StagedEvent } from '../ledger/events.ts';
import type { Identifiers } from '../ledger/link.ts';
import { programTerms } from '../ledger/record.ts';
import type { StagedSale } from '../ledger/stage.ts';
import type { Clock } from '../time.ts';
import { type Brought, countUp } from './requests/count-up.ts';
import { type RequestDay, type Requester, requestDay } from './requests/day.ts';
import { busy, isHeld } from './requests/held.ts';
import type { EntryRequest } from './requests/kept-entries.ts';
import { type EntryVerdict, recordEntries } from './requests/record-entries.ts';
import { type EventVerdict, recordRequestEvents } from './requests/record-events.ts';
import { recordSales, type SaleVerdict } from './requests/record-sales.ts';
import { type RefundRequest, type RefundVerdict, refundSale } from './requests/refund-sale.ts';

export type { Brought } from './requests/count-up.ts';
export type { RequestDay, Requester } from './requests/day.ts';
export { readExternalId } from './requests/external-id.ts';
export type { EntryRequest } from './requests/kept-entries.ts';
export { type ReadEntry, readEntry } from './requests/read-entry.ts';
export { type RequestFault, readEvent, readRequestAmount } from './requests/read-event.ts';
export type { EntryVerdict } from './requests/record-entries.ts';
export type { EventVerdict } from './requests/record-events.ts';
export type { SaleVerdict } from './requests/record-sales.ts';
export type { RefundRequest, RefundVerdict } from './requests/refund-sale.ts';

/** A staged row that says which referral it means, and what that learns by it. */
export type Telling<Row> = Row & { learns?: Identifiers | undefined };

/** Records some pieces in a transaction, with a verdict for each in their order. */
type Recording<Piece, Verdict> = (
  pieces: Piece[],
) => (session: Session, day: RequestDay) => Promise<Brought & { verdicts: Verdict[] }>;

/** Requests that are recorded in one transaction at the most. */
const mostTogether = 500;

/**
 * How long a transaction of requests waits for a lock, in milliseconds: less than the second after which the server looks
 * for a deadlock, so that a request gives way to an import and never ends one.
 */
const patience = { together: 150, alone: 700 };
const pauseMilliseconds = 50;

/**
 * The door for what comes by request. Sales are recorded as those of files are, without taking an import's turn, and
 * belong to an import of their source and UTC day. Sales that come at the same time go together in one transaction, each
 * with a verdict of its own. A request whose sale or customer an import holds waits alone.
 */
export class RequestDoor {
  readonly #db: Db;
  readonly #clock: Clock;
  readonly #limit: number;
  #last = 0;
  readonly #days = new Map<string, { runId: string; importId: string }>();
  readonly #sales = new Map<string, Batcher<Telling<StagedSale>, () => Promise<SaleVerdict>>>();
  readonly #events = new Map<string, Batcher<StagedEvent, () => Promise<EventVerdict>>>();
  readonly #entries = new Map<string, Batcher<EntryRequest, () => Promise<EntryVerdict>>>();

  /** `limitMilliseconds` is how long a request may wait for others that hold what it needs. */
  constructor(db: Db, clock: Clock, { limitMilliseconds = 10_000 } = {}) {
    this.#db = db;
    this.#clock = clock;
    this.#limit = limitMilliseconds;
  }

  /**
   * Records one sale of a programme; it has an external id. Raises `busy` when others hold the same id or customer for
   * longer than the limit: nothing of it was recorded then, and it may be sent again.
   */
  sale(requester: Requester, programId: string, sale: Telling<StagedSale>): Promise<SaleVerdict> {
    return this.#batched(
      this.#sales,
      requester,
      programId,
      (sales) => async (session, day) =>
        recordSales(session, day, await programTerms(session, day.mover.accountId, programId), sales),
      sale,
    );
  }

  /**
   * Records one event of a programme that moves no money: a lead, trial or milestone of a referral that is known. Raises
   * `busy` likewise.
   */
  event(requester: Requester, programId: string, event: Telling<StagedEvent>): Promise<EventVerdict> {
    return this.#batched(
      this.#events,
      requester,
      programId,
      (events) => (session, day) => recordRequestEvents(session, day, programId, events),
      event,
    );
  }

  /** Keeps one conversion entry of a programme, and records its sale if its contact is known. Raises `busy` likewise. */
  entry(requester: Requester, programId: string, entry: EntryRequest): Promise<EntryVerdict> {
    return this.#batched(
      this.#entries,
      requester,
      programId,
      (entries) => (session, day) => recordEntries(session, day, programId, entries),
      entry,
    );
  }

  /** Refunds a sale, or a part of it. Raises `busy` likewise. */
  async refund(requester: Requester, refund: RefundRequest): Promise<RefundVerdict> {
    return (await this.alone(requester, (session, day) => refundSale(session, day, refund))).verdict;
  }

  /**
   * Does `work` for one request in a transaction of its own, which adds what it brought to the day's import. Raises
   * `busy` likewise.
   */
  async alone<T extends Brought>(
    requester: Requester,
    work: (session: Session, day: RequestDay) => Promise<T>,
  ): Promise<T> {
    const until = performance.now() + this.#limit;
    for (;;) {
      try {
        return await this.#transact(requester, patience.alone, work);
      } catch (cause) {
        if (!isHeld(cause)) throw cause;
        if (performance.now() >= until) throw busy(cause);
        await wait(pauseMilliseconds);
      }
    }
  }

  /** How many sales and events wait to be recorded. */
  get waiting(): number {
    return this.#batchers.reduce((sum, batcher) => sum + batcher.length, 0);
  }

  /** Ends when everything that was taken is answered. */
  async drained(): Promise<void> {
    await Promise.all(this.#batchers.map((batcher) => batcher.drained()));
  }

  get #batchers() {
    return [...this.#sales.values(), ...this.#events.values(), ...this.#entries.values()];
  }

  async #batched<Piece, Verdict>(
    batchers: Map<string, Batcher<Piece, () => Promise<Verdict>>>,
    requester: Requester,
    programId: string,
    recording: Recording<Piece, Verdict>,
    piece: Piece,
  ): Promise<Verdict> {
    const key = `${requester.accountId} ${requester.name} ${programId}`;
    let batcher = batchers.get(key);
    if (!batcher) {
      batcher = new Batcher((pieces) => this.#together(requester, recording, pieces), mostTogether);
      batchers.set(key, batcher);
    }
    return (await batcher.add(piece))();
  }

  /** Where somebody holds what one of the pieces needs, each goes on alone, so that only that one waits. */
  async #together<Piece, Verdict>(
    requester: Requester,
    recording: Recording<Piece, Verdict>,
    pieces: Piece[],
  ): Promise<(() => Promise<Verdict>)[]> {
    try {
      const { verdicts } = await this.#transact(requester, patience.together, recording(pieces));
      return verdicts.map((verdict) => async () => verdict);
    } catch (cause) {
      if (!isHeld(cause)) throw cause;
      return pieces.map(
        (piece) => async () => (await this.alone(requester, recording([piece]))).verdicts[0]!,
      );
    }
  }

  /** The present, later than the last: what a transaction has moved is told by its moment. */
  #moment(): Date {
    this.#last = Math.max(this.#clock().getTime(), this.#last + 1);
    return new Date(this.#last);
  }

  async #transact<T extends Brought>(
    requester: Requester,
    lockMilliseconds: number,
    work: (session: Session, day: RequestDay) => Promise<T>,
  ): Promise<T> {
    const { accountId, name } = requester;
    const now = this.#moment();
    const key = `${accountId} ${name} ${now.toISOString().slice(0, 10)}`;
    const known = this.#days.get(key);
    let day: RequestDay | undefined;
    const done = await this.#db.transaction(async (session) => {
      await session.client.query(`set local lock_timeout = ${lockMilliseconds}`);
      day = known
        ? { mover: { accountId, runId: known.runId, now }, importId: known.importId }
        : await requestDay(session, requester, now);
      const outcome = await work(session, day);
      await assertMoved(session, day.mover);
      await countUp(session, day, outcome);
      return outcome;
    });
    if (!known && day) this.#days.set(key, { runId: day.mover.runId, importId: day.importId });
    return done;
  }
}
