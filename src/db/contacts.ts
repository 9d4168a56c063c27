import { sql } from 'kysely';
import { newId } from '../ids.ts';
import type { Sql } from './connect.ts';

/** What may be said of a contact; custom fields are JSON texts by name. */
export interface ContactFields {
  email?: string | undefined;
  phone?: string | undefined;
  firstName?: string | undefined;
  lastName?: string | undefined;
  source?: string | undefined;
  customFields?: Record<string, string> | undefined;
}

/** The digits of a telephone number, by which it is found however it is written; null where it has none. */
export function foldPhone(phone: string | undefined): string | null {
  return phone?.replaceAll(/\D/g, '') || null;
}

function foldEmail(email: string | undefined): string | null {
  return email?.trim().normalize('NFC').toLowerCase() || null;
}

/**
 * Makes a contact, or finds the one that has the e-mail address, or without one the telephone number, and gives it what it
 * lacks. Returns its id, and whether it is new.
 */
export async function createContact(
  db: Sql,
  accountId: number,
  fields: ContactFields,
  now: Date,
): Promise<{ id: string; isNew: boolean }> {
  const email = foldEmail(fields.email);
  const phone = foldPhone(fields.phone);
  const id = newId(now);
  const made = await db
    .insertInto('contact')
    .values({
      account_id: accountId,
      id,
      email: fields.email ?? null,
      email_folded: email,
      phone: fields.phone ?? null,
      phone_folded: phone,
      first_name: fields.firstName ?? null,
      last_name: fields.lastName ?? null,
      source: fields.source ?? null,
      custom_fields: objectText(fields.customFields),
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (made) return { id, isNew: true };
  const known = await db
    .selectFrom('contact')
    .select('id')
    .where('account_id', '=', accountId)
    .where('email_folded', email === null ? 'is' : '=', email)
    .$if(email === null, (query) => query.where('phone_folded', '=', phone))
    .executeTakeFirstOrThrow();
  await fillContacts(db, accountId, [{ ...fields, id: known.id }], now);
  return { id: known.id, isNew: false };
}

/**
 * Gives contacts what they lack; what they have stays, but for custom fields, of which the latest counts. An e-mail
 * address or telephone number that another contact goes by stays with that one.
 */
export async function fillContacts(
  db: Sql,
  accountId: number,
  contacts: (ContactFields & { id: string })[],
  now: Date,
): Promise<void> {
  // One after another: a later one of the same contact finds what an earlier one has filled in.
  for (const { id, email, phone, firstName, lastName, customFields } of contacts) {
    const custom = objectText(customFields);
    if (!email && !phone && !firstName && !lastName && custom === '{}') continue;
    const [emailFolded, phoneFolded] = [foldEmail(email), foldPhone(phone)];
    const other = sql`select from contact o where o.account_id = ${accountId} and o.id <> c.id`;
    const takesEmail = sql`c.email is null and ${emailFolded}::text is not null
      and not exists (${other} and o.email_folded = ${emailFolded})`;
    const takesPhone = sql`c.phone is null and ${phoneFolded}::text is not null
      and not exists (${other} and o.email_folded is null and o.phone_folded = ${phoneFolded})`;
    await sql`/* contacts.fill */
      update contact c set
        email = case when ${takesEmail} then ${email ?? null} else c.email end,
        email_folded = case when ${takesEmail} then ${emailFolded} else c.email_folded end,
        phone = case when ${takesPhone} then ${phone ?? null} else c.phone end,
        phone_folded = case when ${takesPhone} then ${phoneFolded} else c.phone_folded end,
        first_name = coalesce(c.first_name, ${firstName ?? null}), last_name = coalesce(c.last_name, ${lastName ?? null}),
        custom_fields = c.custom_fields || ${custom}::jsonb, updated_at = ${now}::timestamptz
      where c.account_id = ${accountId} and c.id = ${id}::uuid`.execute(db);
  }
}

function objectText(fields: Record<string, string> = {}): string {
  return `{${Object.entries(fields)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}}`;
}
