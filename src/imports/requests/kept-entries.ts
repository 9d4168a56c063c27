import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import type { ContactFields } from '../../db/contacts.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import type { RequestDay } from './day.ts';
import type { ReadEntry } from './read-entry.ts';

/** An entry that a client sends; its contact and source are there. */
export interface EntryRequest extends Omit<ReadEntry, 'contact' | 'customFields'> {
  /** What it has if it is new. */
  id: string;
  sourceId: string;
  contactId: string;
  keyId: string;
  idempotencyKey: string | undefined;
  fields: ContactFields;
}

/** An entry without an external id has one that nobody else can have. */
export function externalIdOf({ externalId, id }: Pick<EntryRequest, 'externalId' | 'id'>): string {
  return externalId ?? `entry:${id}`;
}

/** Inserts those that are new, in one order for all, so that two who bring the same wait for each other; returns their ids. */
export async function insertEntries(
  session: Session,
  { mover: { accountId, now }, importId }: RequestDay,
  programId: string,
  entries: EntryRequest[],
): Promise<Set<string>> {
  const rows = entries.map((entry) => ({
    id: entry.id,
    source_id: entry.sourceId,
    contact_id: entry.contactId,
    external_id: externalIdOf(entry),
    key_id: entry.keyId,
    idempotency_key: entry.idempotencyKey,
    amount: entry.amount?.toString(),
    currency: entry.currency,
    expense: entry.expense?.toString(),
    occurred_at: entry.occurredAt,
    occurred_at_given: entry.occurredAtGiven,
    customer_id: entry.customerId,
    customer_email: entry.fields.email,
  }));
  const created = await sql<{ id: string }>`/* imports.entries.insert */
    insert into conversion_entry (account_id, id, program_id, source_id, contact_id, external_id, key_id, idempotency_key,
      amount, currency, expense, occurred_at, occurred_at_given, customer_id, customer_email, import_id, created_at)
    select ${accountId}, e.id, ${programId}::uuid, e.source_id, e.contact_id, e.external_id, e.key_id, e.idempotency_key,
      e.amount, e.currency, e.expense, e.occurred_at, e.occurred_at_given, e.customer_id, e.customer_email,
      ${importId}::uuid, ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}) as e(id uuid, source_id uuid, contact_id uuid, external_id text,
      key_id uuid, idempotency_key text, amount bigint, currency text, expense bigint, occurred_at timestamptz,
      occurred_at_given boolean, customer_id text, customer_email text)
    order by coalesce(e.idempotency_key, e.external_id) collate "C", e.id
    on conflict do nothing returning id`.execute(session.sql);
  return new Set(created.rows.map(({ id }) => id));
}

interface KnownEntry {
  id: string;
  same: boolean;
  is_credited: boolean;
  by_external_id: boolean;
}

/** The entries that were there before `entries`, by idempotency key first; whether their facts are the same. */
export async function knownOf(
  session: Session,
  accountId: number,
  entries: EntryRequest[],
): Promise<{ entry: EntryRequest; known: KnownEntry }[]> {
  const found: { entry: EntryRequest; known: KnownEntry }[] = [];
  for (const entry of entries) {
    const externalId = externalIdOf(entry);
    const rows = await sql<KnownEntry>`/* imports.entries.known */
      select id, conversion_id is not null as is_credited, external_id = ${externalId} as by_external_id,
        source_id = ${entry.sourceId}::uuid and contact_id = ${entry.contactId}::uuid
          and (external_id = ${externalId} or external_id = 'entry:' || id and ${entry.externalId === undefined})
          and amount is not distinct from ${entry.amount ?? null}::bigint and currency = ${entry.currency}
          and expense is not distinct from ${entry.expense ?? null}::bigint
          and (occurred_at = ${entry.occurredAt}::timestamptz
            or not occurred_at_given and not ${entry.occurredAtGiven}::boolean) as same
      from conversion_entry
      where account_id = ${accountId}
        and (external_id = ${externalId} or key_id = ${entry.keyId}::uuid and idempotency_key = ${entry.idempotencyKey ?? null})
      order by idempotency_key = ${entry.idempotencyKey ?? null} desc nulls last limit 1`.execute(
      session.sql,
    );
    found.push({ entry, known: rows.rows[0]! });
  }
  return found;
}

/** Writes down which entries are credited: those whose sales are recorded, by whichever door. Returns how many. */
export async function credit(session: Session, accountId: number, sales: StagedSale[]): Promise<number> {
  const credited = await sql`/* imports.entries.credit */
    update conversion_entry e set conversion_id = c.id
    from conversion c
    where e.account_id = ${accountId} and e.external_id = any(${sales.map(({ externalId }) => externalId)})
      and e.conversion_id is null and c.account_id = ${accountId} and c.external_id = e.external_id`.execute(
    session.sql,
  );
  return Number(credited.numAffectedRows ?? 0n);
}

/** Takes entries out that can't be kept. */
export async function forgetEntries(
  session: Session,
  accountId: number,
  entries: EntryRequest[],
): Promise<void> {
  if (entries.length === 0) return;
  await session.sql
    .deleteFrom('conversion_entry')
    .where('account_id', '=', accountId)
    .where(
      'id',
      'in',
      entries.map(({ id }) => id),
    )
    .execute();
}
