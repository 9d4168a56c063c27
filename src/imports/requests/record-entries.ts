import type { Session } from '../../db/connect.ts';
import { fillContacts } from '../../db/contacts.ts';
import { noRows } from '../../ledger/record/verdicts.ts';
import { programTerms } from '../../ledger/record.ts';
import type { StagedSale } from '../../ledger/stage.ts';
import type { Brought } from './count-up.ts';
import type { RequestDay } from './day.ts';
import {
  credit,
  type EntryRequest,
  externalIdOf,
  forgetEntries,
  insertEntries,
  knownOf,
} from './kept-entries.ts';
import { type RecordedSales, recordSales, type SaleVerdict } from './record-sales.ts';

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
  await forgetEntries(session, accountId, refused);
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
