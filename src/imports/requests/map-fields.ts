import type { RequestFault } from './read-event.ts';

/** The fields that a mapping may name; any other name is one of the account's own, kept with the contact. */
const entryFields = ['eventValue', 'currency', 'expense', 'occurredAt', 'externalId', 'customerId'] as const;
const contactFields = ['email', 'phone', 'firstName', 'lastName'] as const;

type EntryField = (typeof entryFields)[number];
type ContactField = (typeof contactFields)[number];

/** What a source's own keys yield, by field; what is empty yields nothing. */
export interface MappedFields {
  entry: Partial<Record<EntryField, string>>;
  contact: Partial<Record<ContactField, string>>;
  /** JSON texts by name, numbers as they were written. */
  customFields: Record<string, string>;
}

const mostCharacters = 1_000;

/**
 * Maps the keys of `data` to fields. Of several keys for one field the first counts that yields something. `numbers` has
 * the texts of those values that are numbers. Returns what is wrong with a value.
 */
export function mapFields(
  data: Record<string, unknown>,
  numbers: ReadonlyMap<string, string>,
  mappings: Record<string, string>,
): MappedFields | { fault: RequestFault } {
  const mapped: MappedFields = { entry: {}, contact: {}, customFields: Object.create(null) };
  for (const [key, field] of Object.entries(mappings)) {
    if (!Object.hasOwn(data, key)) continue;
    const value = data[key];
    const text =
      typeof value === 'number' ? numbers.get(key) : typeof value === 'boolean' ? String(value) : value;
    if (text === null || text === undefined) continue;
    if (typeof text !== 'string' || (typeof value === 'number' && !Number.isFinite(value)))
      return fault(key, 'must be text, a number, true or false.');
    if (text.length > mostCharacters) return fault(key, `has more than ${mostCharacters} characters.`);
    if (text.trim() === '') continue;
    if (isOneOf(entryFields, field)) mapped.entry[field] ??= text;
    else if (isOneOf(contactFields, field)) mapped.contact[field] ??= text.trim();
    else mapped.customFields[field] ??= typeof value === 'string' ? JSON.stringify(text) : text;
  }
  return mapped;
}

function isOneOf<Field extends string>(fields: readonly Field[], name: string): name is Field {
  return (fields as readonly string[]).includes(name);
}

function fault(key: string, what: string): { fault: RequestFault } {
  return { fault: { field: `data.${key}`, message: `"data.${key}" ${what}` } };
}
