import type { Session } from '../connect.ts';

/** A row of the database that differs from payrun.json, and what becomes of it. */
export interface Change {
  kind: 'added' | 'changed' | 'retired' | 'restored';
  noun: 'account' | 'program' | 'incentive' | 'source';
  /** Where it stands, by refs: `acme`, `acme/main`, `acme/main/pro-yearly`, `acme/offline`. */
  name: string;
  /** What differs, as people read it; `was` is null for what is new. */
  fields: { field: string; was: string | null; becomes: string }[];
}

/** A row's fields as people read them. Two rows are the same if and only if these are. */
export type Fields = Record<string, string>;

/** One row as the database has it and as payrun.json wants it, under the same id; either side may lack it. */
export interface Pair<Row> {
  noun: Change['noun'];
  name: string;
  present: Row | undefined;
  desired: Row | undefined;
  fields(row: Row, side: 'present' | 'desired'): Fields;
  /** Inserts the row, or makes the one of this id like it. */
  save(session: Session, accountId: number, row: Row): Promise<unknown>;
}

/** A change, and how to make it. */
export interface Step {
  change: Change;
  save(session: Session, accountId: number): Promise<unknown>;
}

/** The step that brings the pair together, or none. What payrun.json lacks stays, retired. */
export function stepOf<Row extends { retired: boolean }>(pair: Pair<Row>): Step[] {
  const { noun, name, present, desired } = pair;
  const row = desired ?? (present && { ...present, retired: true });
  if (!row) return [];
  const was = present && pair.fields(present, 'present');
  const fields = desired ? differences(was, pair.fields(desired, 'desired')) : [];
  const kind = kindOf(present, row);
  if (kind === 'changed' && fields.length === 0) return [];
  const save = (session: Session, accountId: number) => pair.save(session, accountId, row);
  return kind === undefined ? [] : [{ change: { kind, noun, name, fields }, save }];
}

/** The fields in which two sides differ; all of them for what is new. */
export function differences(was: Fields | undefined, becomes: Fields): Change['fields'] {
  const names = [...new Set([...Object.keys(becomes), ...Object.keys(was ?? {})])];
  return names
    .filter((field) => was?.[field] !== becomes[field])
    .map((field) => ({
      field,
      was: was ? (was[field] ?? 'not set') : null,
      becomes: becomes[field] ?? 'not set',
    }));
}

/** Undefined for what was retired before and is still not wanted. */
function kindOf(
  present: { retired: boolean } | undefined,
  next: { retired: boolean },
): Change['kind'] | undefined {
  if (!present) return 'added';
  if (next.retired) return present.retired ? undefined : 'retired';
  return present.retired ? 'restored' : 'changed';
}

/** What either list has, by `key`: what both have as one pair, first in the order of `desired`. */
export function matched<Row>(
  present: Row[],
  desired: Row[],
  key: (row: Row) => string,
): { present: Row | undefined; desired: Row | undefined }[] {
  const left = new Map(present.map((row) => [key(row), row]));
  const found = desired.map((row) => {
    const pair = { present: left.get(key(row)), desired: row as Row | undefined };
    left.delete(key(row));
    return pair;
  });
  return [...found, ...[...left.values()].map((row) => ({ present: row, desired: undefined }))];
}
