import type { RawBuilder } from 'kysely';
import type { Db, Session } from '../db/connect.ts';
import { emptyUnused, type PricedBatch, storeBought, storePriced } from './priced.ts';
import { type Batch, batchSettings } from './record/batch.ts';
import { sureRows } from './record/customers.ts';
import { areKnown } from './record/known.ts';
import { allRows } from './record/price.ts';
import { namesRefund } from './record/taken-ids.ts';
import { createStage } from './stage.ts';
import { StageLoader } from './stage-loader.ts';
import type { Packet } from './stage-writer.ts';

/** What the rows of a packet are likely to be, from those before: sales that are new, that are recorded, or both. */
export type Likely = 'new' | 'known' | 'mixed';

/**
 * Works for a large import on a connection of its own, while the import's transaction writes the batches before: two
 * processors of the server work for one import. It prices sales, commits them to a table that is nobody's record, and in
 * the end adds up what their customers bought; or finds that nothing is to be done for them. What becomes of the sales is
 * decided by the import's transaction alone.
 */
export class WorkAhead {
  readonly #db: Db;
  #session: Promise<Session> | undefined;
  #lent: Promise<unknown> | undefined;
  #giveBack: () => void = () => {};
  #loader: StageLoader | undefined;
  #batches = 0;
  #meetsStrangers = false;
  #isMyTurn = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Looks at the sales of a packet, once those before are done. Where they are likely to be new, prices them, unless not
   * all of them name an affiliate that is known, or where customers matter, not all are of a customer who was known before
   * the import, or one has the id of a refund. Where they are likely to be recorded, does so for every second packet only,
   * and says `known` when that is so of all of them. Else returns undefined. Every packet of the import must come by here,
   * in order, for the names and terms that are new in it.
   */
  take(
    accountId: number,
    batch: Batch,
    packet: Packet,
    likely: Likely,
  ): Promise<PricedBatch | 'known' | undefined> {
    const taken = this.#last.then(() => this.#take(accountId, batch, packet, likely));
    this.#last = taken;
    return taken;
  }

  /**
   * Adds up what customers bought, once all packets have come by; as a query like `bought`. Returns undefined unless all
   * sales were priced here.
   */
  bought(accountId: number, { importId }: Batch): Promise<RawBuilder<unknown> | undefined> {
    const added = this.#last.then(() => this.#addUp(accountId, importId));
    this.#last = added;
    return added;
  }

  async #addUp(accountId: number, importId: string): Promise<RawBuilder<unknown> | undefined> {
    if (this.#meetsStrangers || this.#batches === 0) return undefined;
    const session = await this.#open();
    // The server has no statistics of the table, takes its rows for few, and would sort them.
    await this.#begin(session, 'set local enable_sort = off');
    const made = await storeBought(session, accountId, importId);
    await session.client.query('commit');
    return made;
  }

  async #take(
    accountId: number,
    batch: Batch,
    packet: Packet,
    likely: Likely,
  ): Promise<PricedBatch | 'known' | undefined> {
    // A server that has no second connection to give is no reason to fail: the import can do it all on its own.
    const session = await this.#open().catch(() => undefined);
    if (!session) return undefined;
    await this.#begin(session, batchSettings(session, batch));
    if (!this.#loader) {
      await createStage(session, { lasting: true });
      this.#loader = new StageLoader(session, accountId);
    }
    const isPlain = await this.#loader.loadTerms(packet);
    const isPriceable = batch.hasCustomers ? !this.#meetsStrangers : isPlain;
    let taken: PricedBatch | 'known' | undefined;
    if (packet.count > 0 && likely === 'new' && isPriceable)
      taken = await this.#price(session, accountId, batch, packet);
    if (packet.count > 0 && likely === 'known' && this.#takesTurn()) {
      await this.#loader.loadSales(packet);
      taken = (await areKnown(session, accountId, batch, packet.count)) ? 'known' : undefined;
    }
    await session.client.query('commit');
    return taken;
  }

  /** What is lost with the server's last moments here was nobody's record, so no commit waits for the disk. */
  async #begin({ client }: Session, settings = ''): Promise<void> {
    await client.query(`begin; set local synchronous_commit = off; set local work_mem = '64MB'; ${settings}`);
  }

  /** Gives the connection back, when the import has ended. */
  async end(): Promise<void> {
    await this.#last.catch(() => {});
    this.#giveBack();
    await this.#lent?.catch(() => {});
  }

  /** Empties the tables if no other import uses them, when the import's transaction has ended as well. */
  async tidy(): Promise<void> {
    if (this.#lent) await this.#db.aside(emptyUnused).catch(() => {});
  }

  /** The import's own connection looks at the packets between. */
  #takesTurn(): boolean {
    this.#isMyTurn = !this.#isMyTurn;
    return this.#isMyTurn;
  }

  async #price(
    session: Session,
    accountId: number,
    batch: Batch,
    packet: Packet,
  ): Promise<PricedBatch | undefined> {
    await this.#loader!.loadSales(packet);
    if (await namesRefund(session, accountId)) return undefined;
    const rows = batch.hasCustomers ? await sureRows(session, accountId, packet) : allRows;
    const priced = await storePriced(session, accountId, batch, rows, ++this.#batches);
    if (priced.rows === packet.count) return priced;
    this.#meetsStrangers = true;
    return undefined;
  }

  #open(): Promise<Session> {
    this.#session ??= new Promise((resolve, reject) => {
      this.#lent = this.#db.aside(async (session) => {
        const given = new Promise<void>((giveBack) => {
          this.#giveBack = giveBack;
        });
        resolve(session);
        await given;
        await session.client.query('rollback; discard temp');
      });
      this.#lent.catch(reject);
    });
    return this.#session;
  }
}
