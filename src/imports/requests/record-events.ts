import { sql } from 'kysely';
import type { Session } from '../../db/connect.ts';
import { newIdPrefix } from '../../ids.ts';
import { recordEvents, type StagedEvent } from '../../ledger/events.ts';
import { type Identifiers, linkIdentifiers } from '../../ledger/link.ts';
import { noRows } from '../../ledger/record/verdicts.ts';
import { createStage } from '../../ledger/stage.ts';
import { StageLoader } from '../../ledger/stage-loader.ts';
import { StageWriter } from '../../ledger/stage-writer.ts';
import type { Brought } from './count-up.ts';
import type { RequestDay } from './day.ts';

/** How one event of a request ended; a duplicate has the event's id, unless a sale has its external id. */
export type EventVerdict =
  | { verdict: 'recorded'; eventId: string }
  | { verdict: 'duplicate'; eventId: string | undefined }
  | { verdict: 'rejected'; code: string; field: string; found: string };

/**
 * Records the events of some requests that move no money, in the caller's transaction; the answers are in their order.
 * One whose referral is unknown is rejected, and nothing of it is kept.
 */
export async function recordRequestEvents(
  session: Session,
  { mover, importId }: RequestDay,
  programId: string,
  events: (StagedEvent & { learns?: Identifiers | undefined })[],
): Promise<Brought & { verdicts: EventVerdict[] }> {
  await linkIdentifiers(session, mover.accountId, events);
  await createStage(session);
  const idPrefix = newIdPrefix(mover.now);
  const writer = new StageWriter(idPrefix, { keepsAll: true, withEvents: true });
  events.forEach((event, at) => {
    writer.add({ ...event, n: at + 1, line: at + 1 });
  });
  await new StageLoader(session, mover.accountId).load(writer.take());
  const batch = { programId, importId, log: 'parked', strangers: 'ignored' } as const;
  const { recorded, duplicates, rejected, ignored } = await recordEvents(session, mover, batch);
  return {
    verdicts: await verdictsOf(session, mover.accountId, idPrefix, events),
    counts: { ...noRows, recorded, duplicates, rejected: rejected + ignored },
    sales: new Map(),
    commissions: new Map(),
  };
}

async function verdictsOf(
  session: Session,
  accountId: number,
  idPrefix: string,
  events: StagedEvent[],
): Promise<EventVerdict[]> {
  const refused = await sql<{ n: number; code: string; field: string; found: string }>`
    /* imports.requests.events_refused */
    select n, coalesce(code, '') as code, coalesce(field, '') as field, coalesce(found, '') as found from outcome`.execute(
    session.sql,
  );
  const ids = events.flatMap(({ externalId }) => externalId ?? []);
  const [first, last] = ['0', 'f'].map((digit) => idPrefix + digit.repeat(10));
  const found = await sql<{ id: string; line: number; external_id: string | null; is_event: boolean }>`
    /* imports.requests.events */
    select id, line, external_event_id as external_id, true as is_event from event
    where account_id = ${accountId} and id between ${first}::uuid and ${last}::uuid
    union all
    select id, 0, external_event_id, true from event where account_id = ${accountId} and external_event_id = any(${ids})
    union all
    select id, 0, external_id, false from conversion where account_id = ${accountId} and external_id = any(${ids})`.execute(
    session.sql,
  );
  const made = new Map(found.rows.map((row) => [row.line, row.id]));
  const known = new Map(found.rows.map((row) => [row.external_id, row]));
  const why = new Map(refused.rows.map(({ n, ...row }) => [n, row]));
  return events.map(({ externalId }, at) => {
    const n = at + 1;
    const eventId = made.get(n);
    if (eventId !== undefined) return { verdict: 'recorded', eventId };
    const earlier = externalId === undefined ? undefined : known.get(externalId);
    if (earlier) return { verdict: 'duplicate', eventId: earlier.is_event ? earlier.id : undefined };
    return { verdict: 'rejected', ...(why.get(n) ?? { code: 'customer-unknown', field: '', found: '' }) };
  });
}
