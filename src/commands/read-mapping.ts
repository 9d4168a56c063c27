import { PayrunError } from '../errors.ts';

/** Adds what a flag says that may stand several times. */
export function added(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/**
 * Which columns `--map field=column` says that fields have: headers, or positions as `#3`. Raises `usage` for a text of
 * another form, a field that is none of `fields` and one that is mapped twice.
 */
export function readMapping<Field extends string>(
  maps: string[],
  fields: readonly Field[],
): Partial<Record<Field, string>> {
  const mapping: Partial<Record<Field, string>> = {};
  for (const text of maps) {
    const [, name = '', column = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    const field = fields.find((one) => one === name.trim());
    if (field === undefined || column.trim() === '')
      throw wrong('This maps no field of such a file to a column.', text, fields);
    if (mapping[field] !== undefined) throw wrong(`The field ${field} is mapped twice.`, text, fields);
    mapping[field] = column.trim();
  }
  return mapping;
}

function wrong(what: string, found: string, fields: readonly string[]): PayrunError {
  const todo = `Write <field>="<column>", with one of ${fields.join(', ')}.`;
  return new PayrunError('usage', what, { place: { field: '--map' }, found, todo });
}
