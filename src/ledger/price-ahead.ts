import type { Db, Session } from '../db/connect.ts';
import { emptyUnused, type PricedBatch, storePriced } from './priced.ts';
import { type Batch, batchSettings } from './record/batch.ts';
import { findCustomers } from './record/customers.ts';
import { allRows, customersRows } from './record/price.ts';
import { namesRefund } from './record/taken-ids.ts';
import { createStage } from './stage.ts';
import { StageLoader } from './stage-loader.ts';
import type { Packet } from './stage-writer.ts';

/**
 * Prices the batches of a large import on a connection of its own, while the import's transaction writes those before:
 * two processors of the server work for one import. It commits what it has priced to a table that is nobody's record;
 * what becomes of the sales is decided by the import's transaction alone.
 */
export class PriceAhead {
  readonly #db: Db;
  #session: Promise<Session> | undefined;
  #lent: Promise<unknown> | undefined;
  #giveBack: () => void = () => {};
  #loader: StageLoader | undefined;
  #batches = 0;
  #meetsStrangers = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(db: Db) {
    this.#db = db;
  }

  /**
   * Prices the sales of a packet, whose lines have `columns`, once those before are done. Returns undefined when not all
   * of them name an affiliate that is known, or where customers matter, when not all are of a customer who was known
   * before the import; when one has the id of a refund, and when they are not likely to be new.
   * Every packet of the import must come by here, in order, for the names and terms that are new in it.
   */
  price(
    accountId: number,
    batch: Batch,
    packet: Packet,
    about: { columns: string[]; isNew: boolean },
  ): Promise<PricedBatch | undefined> {
    const priced = this.#last.then(() => this.#price(accountId, batch, packet, about));
    this.#last = priced;
    return priced;
  }

  async #price(
    accountId: number,
    batch: Batch,
    packet: Packet,
    { columns, isNew }: { columns: string[]; isNew: boolean },
  ): Promise<PricedBatch | undefined> {
    // A server that has no second connection to give is no reason to fail: the import can do it all on its own.
    const session = await this.#open().catch(() => undefined);
    if (!session) return undefined;
    const { client } = session;
    // What is lost with the server's last moments here was nobody's record, so no commit waits for the disk.
    await client.query(
      `begin; set local synchronous_commit = off; set local work_mem = '64MB'; ${batchSettings(session, batch)}`,
    );
    if (!this.#loader) {
      await createStage(session, { lasting: true });
      this.#loader = new StageLoader(session, accountId, columns);
    }
    const isPlain = await this.#loader.loadTerms(packet);
    const isPriceable = batch.hasCustomers ? !this.#meetsStrangers : isPlain;
    const priced =
      isPriceable && isNew && packet.count > 0
        ? await this.#priceStaged(session, accountId, batch, packet)
        : undefined;
    await client.query('commit');
    return priced;
  }

  /** Gives the connection back, and empties the table if no other import uses it. To be called when the import has ended. */
  async end(): Promise<void> {
    if (!this.#lent) return;
    await this.#last.catch(() => {});
    this.#giveBack();
    await this.#lent.catch(() => {});
    await this.#db.aside(emptyUnused).catch(() => {});
  }

  async #priceStaged(
    session: Session,
    accountId: number,
    batch: Batch,
    packet: Packet,
  ): Promise<PricedBatch | undefined> {
    await this.#loader!.loadSales(packet);
    if (batch.hasCustomers) {
      const { sure } = await findCustomers(session, accountId);
      this.#meetsStrangers = sure < packet.count;
    }
    if (this.#meetsStrangers || (await namesRefund(session, accountId))) {
      await session.client.query('truncate stage, customer');
      return undefined;
    }
    const rows = batch.hasCustomers ? customersRows : allRows;
    const priced = await storePriced(session, accountId, batch, rows, ++this.#batches);
    await session.client.query('truncate stage, customer');
    return priced;
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
