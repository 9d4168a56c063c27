import { setTimeout as wait } from 'node:timers/promises';
import { Batcher } from '../batcher.ts';
import type { Db, Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { assertMoved } from '../ledger/audit.ts';
import { programTerms } from '../ledger/record.ts';
import type { StagedSale } from '../ledger/stage.ts';
import type { Clock } from '../time.ts';
import { type Brought, countUp } from './requests/count-up.ts';
import { type RequestDay, type Requester, requestDay } from './requests/day.ts';

import { recordSales, type SaleVerdict } from './requests/record-sales.ts';

export type { Brought } from './requests/count-up.ts';
export type { RequestDay, Requester } from './requests/day.ts';
export type { SaleVerdict } from './requests/record-sales.ts';

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
  readonly #batchers = new Map<string, Batcher<StagedSale, () => Promise<SaleVerdict>>>();

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
  async sale(requester: Requester, programId: string, sale: StagedSale): Promise<SaleVerdict> {
    const key = `${requester.accountId} ${requester.name} ${programId}`;
    let batcher = this.#batchers.get(key);
    if (!batcher) {
      batcher = new Batcher((sales) => this.#together(requester, programId, sales), mostTogether);
      this.#batchers.set(key, batcher);
    }
    return (await batcher.add(sale))();
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

  /** How many sales wait to be recorded. */
  get waiting(): number {
    return [...this.#batchers.values()].reduce((sum, batcher) => sum + batcher.length, 0);
  }

  /** Ends when every sale that was taken is answered. */
  async drained(): Promise<void> {
    await Promise.all([...this.#batchers.values()].map((batcher) => batcher.drained()));
  }

  /** Where somebody holds what one of the sales needs, each goes on alone, so that only that one waits. */
  async #together(
    requester: Requester,
    programId: string,
    sales: StagedSale[],
  ): Promise<(() => Promise<SaleVerdict>)[]> {
    try {
      const { verdicts } = await this.#transact(requester, patience.together, recording(programId, sales));
      return verdicts.map((verdict) => async () => verdict);
    } catch (cause) {
      if (!isHeld(cause)) throw cause;
      return sales.map(
        (sale) => async () => (await this.alone(requester, recording(programId, [sale]))).verdicts[0]!,
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

function recording(programId: string, sales: StagedSale[]) {
  return async (session: Session, day: RequestDay) =>
    recordSales(session, day, await programTerms(session, day.mover.accountId, programId), sales);
}

/** Whether another transaction holds what this one needs. */
function isHeld(cause: unknown): boolean {
  const { code } = cause as { code?: unknown };
  return code === '55P03' || code === '40P01';
}

function busy(cause: unknown): PayrunError {
  return new PayrunError('busy', 'Another import holds the same sale or customer; nothing was recorded.', {
    cause,
  });
}
