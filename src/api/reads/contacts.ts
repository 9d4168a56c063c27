import type { Db } from '../../db/connect.ts';
import { foldPhone } from '../../db/contacts.ts';
import type { ContactRow } from '../../db/tables.ts';
import { fold } from '../../ledger/stage.ts';

export type ContactView = Omit<ContactRow, 'account_id' | 'custom_fields'> & {
  custom_fields: Record<string, unknown>;
};

/** A page of contacts, the oldest first, and how many there are; of those with an address, a number or an id alone. */
export async function pageOfContacts(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  { id, email, phone }: { id?: string; email?: string | undefined; phone?: string | undefined },
  { page, limit }: { page: number; limit: number },
): Promise<{ rows: ContactView[]; total: number }> {
  const chosen = db
    .selectFrom('contact')
    .where('account_id', '=', accountId)
    .$if(id !== undefined, (query) => query.where('id', '=', id!))
    .$if(email !== undefined, (query) => query.where('email_folded', '=', fold(email)!))
    .$if(phone !== undefined, (query) => query.where('phone_folded', '=', foldPhone(phone) ?? ''));
  const [rows, counted] = await Promise.all([
    chosen
      .selectAll()
      .orderBy('id')
      .limit(limit)
      .offset((page - 1) * limit)
      .execute(),
    chosen.select(({ fn }) => fn.countAll<bigint>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { rows: rows as unknown as ContactView[], total: Number(counted.total) };
}

/** Whether the account has a contact of this id. */
export async function hasContact(
  { sql: db }: Pick<Db, 'sql'>,
  accountId: number,
  id: string,
): Promise<boolean> {
  const found = await db
    .selectFrom('contact')
    .select('id')
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .executeTakeFirst();
  return found !== undefined;
}
