import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { type ContactFields, fillContacts } from '../../db/contacts.ts';
import { noRows } from '../../ledger/record/verdicts.ts';
import { programTerms } from '../../ledger/record.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import type { Brought } from './count-up.ts';
import type { RequestDay } from './day.ts';
import type { ReadEntry } from './read-entry.ts';
import { type RecordedSales, recordSales, type SaleVerdict } from './record-sales.ts';

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

/** `repeated`: the entry was there, with the same facts; `conflict`: with others. */
export interface EntryVerdict {
  verdict: 'created' | 'repeated' | 'conflict';
  entryId: string;
}

/**
 * Keeps some entries, each once by its idempotency key and its external id, and records the sales of those whose contact
 * is known as a customer whom an affiliate brought; the others wait. In the caller's transaction; the answers are in
 * their order. An entry that comes again with other facts changes nothing; where its sale is recorded, it is kept as a
 * conflict for a person. An entry without value, or of 0, moves no money.
 */
export async function recordEntries(
  session: Session,
  day: RequestDay,
  programId: string,
  entries: EntryRequest[],
): Promise<Brought & { verdicts: EntryVerdict[] }> {
  const { accountId, now } = day.mover;
  const created = await insertEntries(session, day, programId, entries);
  await fillContacts(
    session.sql,
    accountId,
    entries.flatMap(({ id, contactId, fields }) => (created.has(id) ? [{ ...fields, id: contactId }] : [])),
    now,
  );
  const verdicts = entries.map(({ id }): EntryVerdict => ({ verdict: 'created', entryId: id }));
  const repeated = entries.filter(({ id }) => !created.has(id));
  const restated: EntryRequest[] = [];
  for (const { entry, known } of await knownOf(session, accountId, repeated)) {
    verdicts[entries.indexOf(entry)] = { verdict: known.same ? 'repeated' : 'conflict', entryId: known.id };
    if (!known.same && known.is_credited && known.by_external_id && isSale(entry)) restated.push(entry);
  }
  const news = entries.filter(({ id }) => created.has(id));
  const sales = [...news.filter(isSale), ...restated];
  const { verdicts: ended, counts, ...sums } = await recordSalesOf(session, day, programId, sales);
  const refused = sales.filter((_, at) => isOfRefund(ended[at]!));
  for (const entry of refused) verdicts[entries.indexOf(entry)] = { verdict: 'conflict', entryId: entry.id };
  await forget(session, accountId, refused);
  const waiting = counts.rejected - refused.length;
  return {
    verdicts,
    counts: {
      ...counts,
      recorded: counts.recorded + news.length - (sales.length - restated.length),
      duplicates: counts.duplicates + repeated.length - restated.length,
      rejected: refused.length,
      parked: counts.parked + waiting,
    },
    ...sums,
  };
}

function isSale({ amount }: EntryRequest): boolean {
  return amount !== undefined && amount > 0n;
}

/** Whether the id is that of a refund, so that no sale can have it. */
function isOfRefund(ended: SaleVerdict): boolean {
  return ended.verdict === 'rejected' && ended.code === 'sale-id-of-refund';
}

/** Records the sales of entries; a sale that is credited to somebody is then the entry's. */
async function recordSalesOf(
  session: Session,
  day: RequestDay,
  programId: string,
  entries: EntryRequest[],
): Promise<Omit<RecordedSales, 'counts'> & { counts: Brought['counts'] }> {
  const { accountId } = day.mover;
  if (entries.length === 0)
    return { verdicts: [], counts: { ...noRows }, sales: new Map(), commissions: new Map() };
  const contacts = await session.sql
    .selectFrom('contact')
    .select(['id', 'email'])
    .where('account_id', '=', accountId)
    .where('id', 'in', [...new Set(entries.map(({ contactId }) => contactId))])
    .execute();
  const emails = new Map(contacts.map(({ id, email }) => [id, email]));
  const sales = entries.map(
    (entry): StagedSale => ({
      ...entry.exchange,
      n: 1,
      line: 1,
      externalId: externalIdOf(entry),
      amount: entry.amount!,
      currency: entry.currency,
      expense: entry.expense,
      occurredAt: entry.occurredAt,
      occurredAtGiven: entry.occurredAtGiven,
      salesStatus: 'complete',
      customerId: entry.customerId ?? entry.contactId,
      email: emails.get(entry.contactId) ?? entry.fields.email,
    }),
  );
  const program = await programTerms(session, accountId, programId);
  const { counts, ...recorded } = await recordSales(session, day, program, sales);
  await credit(session, accountId, sales);
  const { otherAffiliate: _, ...ended } = counts;
  return { ...recorded, counts: ended };
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

async function forget(session: Session, accountId: number, entries: EntryRequest[]): Promise<void> {
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

/** An entry without an external id has one that nobody else can have. */
function externalIdOf({ externalId, id }: Pick<EntryRequest, 'externalId' | 'id'>): string {
  return externalId ?? `entry:${id}`;
}

/** Inserts those that are new, in one order for all, so that two who bring the same wait for each other; returns their ids. */
async function insertEntries(
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
async function knownOf(
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
