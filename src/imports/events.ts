import { type Session, throwIfInterrupted } from '../db/connect.ts';
import { newId, newIdPrefix } from '../ids.ts';
import { type EventVerdicts, recordEvents } from '../ledger/events.ts';
import type { Mover } from '../ledger/journal.ts';
import { type ProgramTerms, postTally, programTerms, type Tally, type Verdicts } from '../ledger/record.ts';
import { createStage } from '../ledger/stage.ts';
import { StageLoader } from '../ledger/stage-loader.ts';
import { StageWriter } from '../ledger/stage-writer.ts';
import { batchRecorder } from './batches.ts';
import { eventReader } from './event-line.ts';
import type { Landed, Landing } from './landing.ts';
import { type LogLine, logLines } from './ndjson.ts';
import type { Rates } from './rates.ts';
import { settleRefunds } from './refunds.ts';
import { matched, outcomes } from './rejects.ts';
import { rejectsIn, writeRejectsLog } from './rejects-log.ts';
import { customersOfOthers } from './sales.ts';
import type { Source } from './source.ts';

/** Lines that are sent to the stage together. */
const stageLines = 20_000;

/** The lines of a log, which are gone through twice, and what to read and record them with. */
export interface EventLog {
  lines(): AsyncIterable<LogLine[]>;
  program: ProgramTerms;
  importId: string;
  log: 'new' | 'parked';
  read: ReturnType<typeof eventReader>;
  /** Called as lines of the second reading go by; raises when the work was interrupted. */
  onLines(rows: number): void;
}

/**
 * Records an event log inside the caller's transaction, in two readings: first every line's referral and the events
 * that move no money, then the conversions as sales, so that a lead that stands behind its sale still counts first.
 */
export async function recordLog(
  session: Session,
  mover: Mover,
  events: EventLog,
): Promise<{ rows: number; events: EventVerdicts; sales: Verdicts; tally: Tally }> {
  await createStage(session);
  const faults = await stageReferrals(session, mover, events);
  const { program, importId, log } = events;
  const counted = await recordEvents(session, mover, { programId: program.id, importId, log });
  counted.rejected += faults;
  await session.client.query('truncate name, terms');
  const batch = { program, importId, hasCustomers: true, log };
  const recorder = batchRecorder(session, mover, batch, { fields, idPrefix: newIdPrefix(mover.now) });
  let rows = 0;
  for await (const group of events.lines()) {
    for (const line of group) {
      const event = events.read(line);
      const full = event.eventType === 'conversion' ? recorder.add(event) : undefined;
      if (full) await full;
    }
    rows += group.length;
    events.onLines(rows);
  }
  const sales = await recorder.finish();
  return { rows, events: counted, sales, tally: await postTally(session, mover) };
}

const fields = [
  'externalId',
  'affiliate',
  'amount',
  'currency',
  'occurredAt',
  'occurredAtGiven',
  'salesStatus',
  'referralId',
  'referralRef',
  'customerId',
  'externalUserId',
  'clickId',
  'productIds',
  'priceIds',
  'interval',
  'isSubscription',
  'metadata',
  'eventType',
  'eventName',
  'fxRate',
] as const;

/** Stages what the first reading needs: all but the conversions that name no affiliate. Returns how many were faulty. */
async function stageReferrals(session: Session, mover: Mover, events: EventLog): Promise<number> {
  const writer = new StageWriter(fields, newIdPrefix(mover.now), { keepsAll: true });
  const loader = new StageLoader(session, mover.accountId, writer.columns);
  let faults = 0;
  const flush = async () => {
    const packet = writer.take();
    faults += packet.faults.count;
    await loader.load(packet);
  };
  for await (const group of events.lines()) {
    for (const line of group) {
      const event = events.read(line);
      if (event.eventType !== 'conversion' || (event.affiliate && !event.fault)) writer.add(event);
    }
    if (writer.waiting >= stageLines) await flush();
  }
  await flush();
  await loader.analyse();
  return faults;
}

/** Lands the event log of a file, and parks the lines whose referral is unknown. */
export async function landEvents(
  session: Session,
  landing: Landing,
  source: Source,
  rates: Rates,
): Promise<Landed & { sourceId: string | null }> {
  const { work, mover, importId, progress } = landing;
  // JSON is UTF-8, unless a mark says otherwise.
  const file = landing.file.as(source.settings.encoding ?? 'utf-8');
  const program = await programTerms(session, mover.accountId, source.programId);
  let bytes = 0;
  let readings = 0;
  const lines = () => {
    readings += 1;
    const isSecond = readings === 2;
    const onBytes = (count: number) => {
      if (isSecond) bytes += count;
    };
    return noting(logLines(file.read(onBytes), file.shown));
  };
  let rejectsOf: string | undefined;
  async function* noting(groups: AsyncIterable<LogLine[]>): AsyncGenerator<LogLine[]> {
    for await (const group of groups) {
      rejectsOf ??= rejectsIn(group);
      yield group;
    }
  }
  const { timezone, id_prefix: idPrefix } = source.settings;
  const read = eventReader({ program, timezone, idPrefix, rates, receivedAt: mover.now });
  const onLines = (rows: number) => {
    throwIfInterrupted(work.context.signal);
    progress.at(rows, bytes / Math.max(1, file.bytes));
  };
  const { rows, events, sales, tally } = await recordLog(session, mover, {
    lines,
    program,
    importId,
    log: 'new',
    read,
    onLines,
  });
  const { otherAffiliate, ...counts } = sales;
  const total = {
    ...counts,
    recorded: counts.recorded + events.recorded,
    duplicates: counts.duplicates + events.duplicates,
    rejected: counts.rejected + events.rejected,
    parked: counts.parked + events.parked,
  };
  if (total.parked > 0) {
    const doubles = await park(session, { ...landing, file }, source);
    total.parked -= doubles;
    total.duplicates += doubles;
  }
  const settled = await settleRefunds(session, mover, importId, undefined, { counts: total, ...tally });
  return {
    rows,
    ...settled,
    counts: { ...settled.counts, ignored: 0 },
    warnings: customersOfOthers(otherAffiliate),
    rejects: total.rejected === 0 ? undefined : await writeRejectsLog(session, { ...landing, file }),
    rejectsOf,
    sourceId: source.id ?? null,
  };
}

/** Keeps the lines to be tried again, each event id once; returns how many were doubles of another one. */
async function park(session: Session, landing: Landing, source: Source): Promise<number> {
  const { mover, file, importId } = landing;
  let doubles = 0;
  let rows: { line: number; body: string; external: string | null; id: string }[] = [];
  const flush = async () => {
    const kept = await session.client.query(
      `/* imports.park */ insert into parked_event (account_id, id, source_id, program_id, import_id, line, external_event_id, body, received_at)
       select $1, p.id, $2, $3, $4, p.line, p.external, p.body, $5
       from jsonb_to_recordset($6) as p(id uuid, line integer, external text, body text)
       on conflict (account_id, external_event_id) do nothing`,
      [mover.accountId, source.id ?? null, source.programId, importId, mover.now, JSON.stringify(rows)],
    );
    doubles += rows.length - (kept.rowCount ?? 0);
    rows = [];
  };
  for await (const { record } of matched(logLines(file.read(), file.shown), outcomes(session, 'parked'))) {
    const { external_event_id: external } = JSON.parse(record.text) as { external_event_id?: string };
    const prefixed = external?.trim() ? source.settings.id_prefix + external.trim().normalize('NFC') : null;
    rows.push({ line: record.line, body: record.text, external: prefixed, id: newId(mover.now) });
    if (rows.length >= 1_000) await flush();
  }
  await flush();
  return doubles;
}
