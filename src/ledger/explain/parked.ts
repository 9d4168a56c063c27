import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';

/** What waits to be recorded: a refund or dispute for its sale, an event or a conversion entry for its customer. */
export interface ParkedStory {
  kind: 'refund' | 'dispute' | 'event' | 'entry';
  external_id: string;
  /** Null for an event or an entry. */
  sale_external_id: string | null;
  /** In minor units of `currency`; null for an event. */
  amount: bigint | null;
  currency: string | null;
  /** Why it does not fit its sale, which is known; null while that is not. */
  code: string | null;
  import_id: string;
  file: string;
  line: number;
  /** When its import ended. */
  since: Date;
}

/** Reads the story of what is parked under `id`, which exists. To be called in a snapshot. */
export async function readParked(session: Session, accountId: number, id: string): Promise<ParkedStory> {
  const found = await sql<ParkedStory>`/* ledger.explain.parked */
    select p.*, i.file, i.finished_at as since
    from (
      select 'refund' as kind, external_id, sale_external_id, amount, currency, code, import_id, line
      from parked_refund where account_id = ${accountId} and id = ${id}::uuid
      union all
      select 'dispute', external_id, sale_external_id, amount, currency, code, import_id, line
      from parked_dispute where account_id = ${accountId} and id = ${id}::uuid
      union all
      select 'event', external_event_id, null, null, null, null, import_id, line
      from parked_event where account_id = ${accountId} and id = ${id}::uuid
      union all
      select 'entry', external_id, null, amount, currency, null, import_id, 0
      from conversion_entry where account_id = ${accountId} and id = ${id}::uuid
    ) p join import i on i.account_id = ${accountId} and i.id = p.import_id`.execute(session.sql);
  return found.rows[0]!;
}
