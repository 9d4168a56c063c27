import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { copyIn } from '../db/copy.ts';
import { affiliateNamed } from './record/attribution.ts';
import type { Packet } from './stage-writer.ts';
import { plannedFor } from './statistics.ts';

/** Puts packets of sales into the staging tables of one session, in the order in which they were taken. */
export class StageLoader {
  readonly #session: Session;
  readonly #accountId: number;
  #unknownNames = 0;
  #isAnalysed = false;

  /** For a `few` rows the planner need not be told how many there are. */
  constructor(session: Session, accountId: number, { few = false } = {}) {
    this.#session = session;
    this.#accountId = accountId;
    this.#isAnalysed = few;
  }

  /** Stages a packet whole. Returns whether every sale in it names an affiliate that is known. */
  async load(packet: Packet): Promise<boolean> {
    const isPlain = await this.loadTerms(packet);
    await this.loadFaults(packet);
    await this.loadSales(packet);
    return isPlain;
  }

  /**
   * Takes in the names and terms that are new in a packet, and finds the affiliates of the names. Returns whether every
   * sale in it names an affiliate that is known.
   */
  async loadTerms({ names, terms, startsAnew, areNamed }: Packet): Promise<boolean> {
    if (startsAnew) {
      await this.#session.client.query('truncate name, terms');
      this.#unknownNames = 0;
    }
    if (terms.count > 0) {
      await copyIn(this.#session, copyTerms, terms.pieces());
      await this.#session.client.query(
        "update terms set products = textsend(coalesce(product_ids::text, '')) where products is null",
      );
    }
    if (names.count > 0) {
      await copyIn(this.#session, copyNames, names.pieces());
      const wanted = names.count + this.#unknownNames;
      this.#unknownNames = await plannedFor(wanted, this.#session, () => this.#findAffiliates());
    }
    return areNamed && this.#unknownNames === 0;
  }

  /** Writes the faulty rows of a packet to the outcomes. */
  async loadFaults({ faults }: Packet): Promise<void> {
    if (faults.count > 0) await copyIn(this.#session, copyFaults, faults.pieces());
  }

  /** Stages the sales of a packet. */
  async loadSales({ columns, sales, count }: Packet): Promise<void> {
    const copySales = sql`copy stage (${sql.raw(columns.join(', '))}) from stdin`;
    if (count > 0) await copyIn(this.#session, copySales, [sales]);
    if (!this.#isAnalysed) await this.analyse();
  }

  /** Tells the planner what is staged, of which the server's statistics know nothing. */
  async analyse(): Promise<void> {
    await this.#session.client.query('analyze stage, name, terms');
    this.#isAnalysed = true;
  }

  /** Returns how many of all names stand for no affiliate, or for several. */
  async #findAffiliates(): Promise<number> {
    await sql`/* ledger.stage.names */
      update name set is_known = true, affiliate_id = named.affiliate_id
      from (${affiliateNamed(this.#accountId, sql`select folded, exact from name where not is_known`)}) named
      where not name.is_known and name.folded = named.folded and name.exact = named.exact`.execute(
      this.#session.sql,
    );
    const unknown = await sql<{ names: number }>`
      select count(*)::integer as names from name where affiliate_id is null`.execute(this.#session.sql);
    return unknown.rows[0]!.names;
  }
}

const copyNames = sql`copy name (no, folded, exact) from stdin`;
const copyTerms = sql`copy terms (no, product_ids, price_ids, interval, is_subscription) from stdin`;
const copyFaults = sql`copy outcome (n, line, verdict, code, field, found, customer_id, email_folded) from stdin`;
