import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { newId } from '../../ids.ts';
import type { Mover } from '../../ledger/journal.ts';
import { noRows } from '../../ledger/record/verdicts.ts';

/** What requests of one UTC day are recorded under: their run, and their import of the kind `api`. */
export interface RequestDay {
  mover: Mover;
  importId: string;
}

/** The account that requests come to, and the source by which they are read, if one. */
export interface Requester {
  accountId: number;
  sourceId: string | null;
  /** What the day's import is called, such as the source's ref. */
  name: string;
}

/**
 * The run and the import of the UTC day of `now` for the requests of a source, made by whoever comes first: the unique
 * key of the run's identity decides.
 */
export async function requestDay(
  session: Session,
  { accountId, sourceId, name }: Requester,
  now: Date,
): Promise<RequestDay> {
  const day = now.toISOString().slice(0, 10);
  const identity = `requests ${name} ${day}`;
  const made = { run: newId(now), import: newId(now) };
  await sql`/* imports.request_day */
    with begun as (
      insert into run (account_id, id, job, identity, attempt, parameters, as_of, status, lease_until, runner, started_at,
        finished_at, counts, totals)
      values (${accountId}, ${made.run}, 'requests', ${identity}, 1, ${JSON.stringify({ source: name, day })}, ${now}, 'done',
        ${now}, 'api', ${now}, ${now}, '{}', '{}')
      on conflict do nothing returning id
    )
    insert into import (account_id, id, run_id, source_id, kind, file, sha256, rows, counts, totals, finished_at)
    select ${accountId}, ${made.import}, id, ${sourceId}, 'api', ${`requests ${name} ${day}`}, '', 0,
      ${JSON.stringify(noRows)}, '{}', ${now} from begun`.execute(session.sql);
  const found = await sql<{ run_id: string; import_id: string }>`
    select r.id as run_id, i.id as import_id from run r
    join import i on i.account_id = ${accountId} and i.run_id = r.id
    where r.account_id = ${accountId} and r.job = 'requests' and r.identity = ${identity} and r.attempt = 1`.execute(
    session.sql,
  );
  const { run_id: runId, import_id: importId } = found.rows[0]!;
  return { mover: { accountId, runId, now }, importId };
}
