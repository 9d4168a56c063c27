import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { ImportRow } from '../db/tables.ts';

type Imported = Pick<ImportRow, 'id' | 'rows' | 'finished_at'> & {
  rejected: number;
  /** Rows that were known before. */
  known: number;
  /** The import that it corrects, or that read the same file before. */
  repeats: string | null;
};

/**
 * The imports that have rejected rows left, oldest first, and how many. What came back, in the rejects file or in the same
 * file once more, counts with the first import, less what was settled since.
 */
export async function openRejects(
  session: Pick<Session, 'sql'>,
  accountId: number,
): Promise<{ id: string; left: number; finished_at: Date }[]> {
  const { rows } = await sql<Imported>`/* imports.open-rejects */
    with rejecting as (
      select id, sha256, kind, finished_at from import
      where account_id = ${accountId} and rejects_file is not null and undone_at is null
    )
    select i.id, i.rows, i.finished_at, coalesce((i.counts->>'rejected')::integer, 0) as rejected,
      coalesce((i.counts->>'duplicates')::integer, 0) as known,
      coalesce(i.rejects_of, (
        select r.id from rejecting r where r.sha256 = i.sha256 and r.kind = i.kind and (r.finished_at, r.id) < (i.finished_at, i.id)
        order by r.finished_at desc, r.id desc limit 1
      )) as repeats
    from import i
    where i.account_id = ${accountId} and i.undone_at is null
      and (i.rejects_file is not null or i.rejects_of is not null or i.sha256 in (select sha256 from rejecting))
    order by i.finished_at, i.id`.execute(session.sql);
  const later = Map.groupBy(rows, (row) => row.repeats);
  const ids = new Set(rows.map((row) => row.id));
  return rows
    .filter(({ repeats }) => repeats === null || !ids.has(repeats))
    .map((first) => ({ id: first.id, finished_at: first.finished_at, left: leftOf(first, later) }))
    .filter(({ left }) => left > 0);
}

/**
 * How many rejected rows of an import nobody has settled. Each import that came after it brought back some of them and may
 * have rejected some again: at most what one of them left, and at most what all of them together did not settle.
 */
function leftOf(one: Imported, later: Map<string | null, Imported[]>): number {
  const children = later.get(one.id) ?? [];
  const lefts = children.map((child) => ({ child, left: leftOf(child, later) }));
  const byEach = lefts.map(({ child, left }) => Math.max(0, one.rejected - child.rows) + left);
  const settled = lefts.reduce((sum, { child, left }) => sum + child.rows - child.known - left, 0);
  return Math.max(0, Math.min(one.rejected, one.rejected - settled, ...byEach));
}
