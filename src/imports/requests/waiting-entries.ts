import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { Mover } from '../../ledger/journal.ts';
import { programTerms } from '../../ledger/record.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import type { Outcome, Work } from '../../runs/work.ts';
import { totalsOf } from '../landing.ts';
import { loadRates, type Rates } from '../rates.ts';
import { credit } from './kept-entries.ts';
import { exchangeOf } from './read-entry.ts';
import { recordSales } from './record-sales.ts';

const page = 5_000;

interface WaitingEntry {
  id: string;
  import_id: string;
  program_id: string;
  external_id: string;
  amount: bigint;
  currency: string;
  expense: bigint | null;
  occurred_at: Date;
  occurred_at_given: boolean;
  customer_id: string;
  email: string | null;
}

/**
 * Credits the conversion entries whose contact has become known as a customer, by id or e-mail address, or whose sale
 * another door has recorded; the rest waits on. In the caller's transaction, each under the import it came with.
 */
export async function retryWaitingEntries(session: Session, work: Work, mover: Mover): Promise<Outcome> {
  const { accountId } = mover;
  const { config, signal } = work.context;
  const counts = { rows: 0, recorded: 0, updated: 0, duplicates: 0, conflicts: 0, still_parked: 0 };
  const sales = new Map<string, bigint>();
  const commissions = new Map<string, bigint>();
  let after = '00000000-0000-0000-0000-000000000000';
  let rates: Rates | undefined;
  for (;;) {
    const known = await knownEntries(session, accountId, after);
    if (known.length === 0) break;
    after = known.at(-1)!.id;
    const found = rates ?? (await loadRates(config.workspace, signal));
    rates = found;
    const byImport = Map.groupBy(known, (entry) => `${entry.import_id} ${entry.program_id}`);
    for (const entries of byImport.values()) {
      const { import_id: importId, program_id: programId } = entries[0]!;
      const program = await programTerms(session, accountId, programId);
      const staged = entries.flatMap((entry) => {
        const sale = saleOf(entry);
        const exchange = exchangeOf(sale, program, found);
        return typeof exchange === 'string' ? [] : [{ ...sale, ...exchange }];
      });
      if (staged.length === 0) continue;
      const recorded = await recordSales(session, { mover, importId }, program, staged);
      const credited = await credit(session, accountId, staged);
      const { recorded: made, updated, conflicts } = recorded.counts;
      counts.recorded += made;
      counts.updated += updated;
      counts.conflicts += conflicts;
      counts.duplicates += credited - made - updated - conflicts;
      for (const [sum, more] of [
        [sales, recorded.sales],
        [commissions, recorded.commissions],
      ] as const)
        for (const [currency, amount] of more) sum.set(currency, (sum.get(currency) ?? 0n) + amount);
    }
  }
  counts.still_parked = await stillWaiting(session, accountId);
  counts.rows = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return { counts, totals: totalsOf({ sales, commissions }), exitCode: counts.conflicts > 0 ? 3 : 0 };
}

/** Those that can be recorded now, as far as one can tell before trying; nobody else tries them meanwhile. */
async function knownEntries(session: Session, accountId: number, after: string): Promise<WaitingEntry[]> {
  const found = await sql<WaitingEntry>`/* imports.entries.known_now */
    select e.id, e.import_id, e.program_id, e.external_id, e.amount, e.currency, e.expense, e.occurred_at,
      e.occurred_at_given, coalesce(e.customer_id, e.contact_id::text) as customer_id, coalesce(c.email, e.customer_email) as email
    from conversion_entry e
    join contact c on c.account_id = ${accountId} and c.id = e.contact_id
    where e.account_id = ${accountId} and e.conversion_id is null and e.amount > 0 and e.id > ${after}::uuid
      and (exists (select from referral r where r.account_id = ${accountId}
          and r.customer_id = coalesce(e.customer_id, e.contact_id::text))
        or exists (select from referral r where r.account_id = ${accountId}
          and r.email_folded = coalesce(c.email_folded, lower(normalize(e.customer_email))))
        or exists (select from conversion s where s.account_id = ${accountId} and s.external_id = e.external_id))
    order by e.id limit ${page} for update of e`.execute(session.sql);
  return found.rows;
}

async function stillWaiting(session: Session, accountId: number): Promise<number> {
  const found = await sql<{ waiting: number }>`/* imports.entries.still_waiting */
    select count(*)::integer as waiting from conversion_entry
    where account_id = ${accountId} and conversion_id is null and amount > 0`.execute(session.sql);
  return found.rows[0]!.waiting;
}

function saleOf(entry: WaitingEntry): StagedSale {
  return {
    n: 1,
    line: 1,
    externalId: entry.external_id,
    amount: entry.amount,
    currency: entry.currency,
    expense: entry.expense ?? undefined,
    occurredAt: entry.occurred_at.toISOString(),
    occurredAtGiven: entry.occurred_at_given,
    salesStatus: 'complete',
    customerId: entry.customer_id,
    email: entry.email ?? undefined,
  };
}
