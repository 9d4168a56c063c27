import type { Selectable } from 'kysely';
import type { SourceConfig } from '../../config.ts';
import type { SourceRow } from '../tables.ts';
import type { Fields, Pair } from './pair.ts';

export type Source = Omit<Selectable<SourceRow>, 'account_id'>;

/** The settings are everything that has no column of its own, as payrun.json says it. */
export function sourceRow(id: string, source: SourceConfig, programId: string): Source {
  const { ref, kind, program: _, ...settings } = source;
  return { id, program_id: programId, ref, kind, settings, retired: false };
}

/** `programRef` names the row's programme. */
export function sourceFields(row: Source, programRef: string): Fields {
  return { kind: row.kind, program: programRef, ...flat(row.settings as Record<string, unknown>) };
}

export const saveSource: Pair<Source>['save'] = (session, accountId, { id, ...row }) => {
  const values = { ...row, settings: JSON.stringify(row.settings) };
  return session.sql
    .insertInto('source')
    .values({ account_id: accountId, id, ...values })
    .onConflict((conflict) => conflict.columns(['account_id', 'id']).doUpdateSet(values))
    .execute();
};

/** Nested settings by their path: `{"mapping.amount": "\"Net total\""}`. */
function flat(settings: Record<string, unknown>, above = ''): Fields {
  const fields: Fields = {};
  for (const [key, value] of Object.entries(settings)) {
    if (typeof value === 'object' && value !== null) {
      Object.assign(fields, flat(value as Record<string, unknown>, `${above}${key}.`));
    } else if (value !== undefined) {
      fields[above + key] = JSON.stringify(value);
    }
  }
  return fields;
}
