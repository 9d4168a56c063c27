import { sql } from 'kysely';
import type { SaleField } from '../../config-source.ts';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../../ledger/journal.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import type { Columns } from '../columns.ts';
import type { CsvRecord } from '../files/records.ts';
import { textOf, unquoted } from '../values/cells.ts';
import { composed, emailOf } from '../values/values.ts';

/**
 * Leaves out rows that concern nobody, where that is wished: a row without affiliate and customer here, one whose
 * customer is not known in the ledger. A row that is faulty besides never comes to the ledger; whether its customer is
 * known is found out at the end, so that nobody has to correct rows that are then ignored.
 */
export class Unattributed {
  /** Rows left out here. */
  ignored = 0;
  readonly #columns: Columns<SaleField>;
  readonly #defaults: Partial<Record<SaleField, string>>;

  constructor(columns: Columns<SaleField>, defaults: Partial<Record<SaleField, string>> = {}) {
    this.#columns = columns;
    this.#defaults = defaults;
  }

  /** `sale` unless it is left out; `record` is what it was read from. */
  keep(sale: StagedSale, record: CsvRecord): StagedSale | undefined {
    if (sale.fault === 'ragged' || sale.affiliate !== undefined || sale.refundOf !== undefined) return sale;
    if (this.#cell(record, 'affiliate') !== '') return sale;
    const customerId = this.#cell(record, 'customer_id') || undefined;
    const email = emailOf(this.#cell(record, 'customer_email')) || undefined;
    if (customerId === undefined && email === undefined) {
      this.ignored += 1;
      return undefined;
    }
    return sale.fault ? { ...sale, customerId, email } : sale;
  }

  #cell(record: CsvRecord, field: SaleField): string {
    const at = this.#columns.get(field);
    const text = at === undefined ? '' : composed(unquoted(textOf(record.cells[at] ?? '')));
    return text === '' ? (this.#defaults[field] ?? '') : text;
  }
}

/** Takes the faulty rows whose customer nobody knows out of the rejected ones; returns how many they were. */
export async function ignoreStrangers(session: Session, { accountId }: Mover): Promise<number> {
  const left = await sql`/* imports.ignore_strangers */
    delete from outcome o
    where o.verdict = 'rejected' and coalesce(o.customer_id, o.email_folded) is not null and not exists (
      select from referral r where r.account_id = ${accountId} and r.customer_id = o.customer_id
      union all
      select from referral r where r.account_id = ${accountId} and r.email_folded = o.email_folded)`.execute(
    session.sql,
  );
  return Number(left.numAffectedRows ?? 0n);
}
