import type { Session } from '../../db/connect.ts';
import { newIdPrefix } from '../../ids.ts';
import { type EventVerdicts, recordEvents } from '../../ledger/events.ts';
import type { Mover } from '../../ledger/journal.ts';
import { postTally } from '../../ledger/record.ts';
import { createStage } from '../../ledger/stage.ts';
import { StageLoader } from '../../ledger/stage-loader.ts';
import { StageWriter } from '../../ledger/stage-writer.ts';
import type { LogLine } from '../files/ndjson.ts';
import { Noted } from '../noted.ts';
import { batchRecorder } from '../sales/batches.ts';
import { datesStillToCome } from '../sales/beside-rows.ts';
import { customersOfOthers } from '../sales/sales.ts';
import { eventReader } from './event-line.ts';
import type { EventLog, LogRecorder } from './event-log.ts';

/** Lines that are sent to the stage together. */
const stageLines = 20_000;

/**
 * Records a log of the bodies of Affonso's POST /v1/events, in two readings: first every line's referral and the events
 * that move no money, then the conversions as sales, so that a lead that stands behind its sale still counts first. Where
 * work is done ahead, the second begins at once, and what it records waits for the first.
 */
export const recordAffonsoLog: LogRecorder = async (session, mover, events) => {
  await createStage(session);
  const { program, importId, log, settings, rates, receivedAt, ahead, again } = events;
  const { timezone, id_prefix: idPrefix } = settings;
  const reading = { program, timezone, idPrefix, rates, receivedAt };
  const read = eventReader(reading);
  const toCome = new Noted();
  const first = recordPeople(session, mover, events, read);
  const batch = { program, importId, hasCustomers: true, log };
  const recorder = batchRecorder(session, mover, batch, {
    idPrefix: newIdPrefix(mover.now),
    isAgain: again !== undefined,
    after: first,
    ...(ahead ? { ahead } : {}),
  });
  if (!ahead) await first;
  const second = readSales(events, eventReader({ ...reading, ahead: toCome }), recorder);
  // What fails first says why; until the other has ended as well, it uses the session.
  const [people, rows] = await Promise.all([first, second]).finally(() =>
    Promise.allSettled([first, second]),
  );
  const { otherAffiliate, ...sales } = await recorder.finish();
  const counts = {
    ...sales,
    recorded: sales.recorded + people.recorded,
    duplicates: sales.duplicates + people.duplicates,
    rejected: sales.rejected + people.rejected,
    parked: sales.parked + people.parked,
    ignored: 0,
  };
  return {
    rows,
    counts,
    tally: await postTally(session, mover, batch, recorder.bought()),
    warnings: [...datesStillToCome(toCome), ...customersOfOthers(otherAffiliate)],
  };
};

/** The first reading; returns how the lines of events that move no money ended. */
async function recordPeople(
  session: Session,
  mover: Mover,
  events: EventLog,
  read: ReturnType<typeof eventReader>,
): Promise<EventVerdicts> {
  const faults = await stageReferrals(session, mover, events, read);
  const { program, importId, log, again } = events;
  const verdicts = await recordEvents(session, mover, {
    programId: program.id,
    importId,
    log,
    strangers: 'parked',
    again,
  });
  await session.client.query('truncate name, terms');
  return { ...verdicts, rejected: verdicts.rejected + faults };
}

/** The second reading; returns how many lines there are. */
async function readSales(
  events: EventLog,
  read: ReturnType<typeof eventReader>,
  recorder: ReturnType<typeof batchRecorder>,
): Promise<number> {
  let rows = 0;
  for await (const group of events.lines()) {
    for (const line of group) {
      const event = read(line);
      const isOurs = event.eventType === 'conversion' || namesNobody(line);
      const full = isOurs ? recorder.add(event) : undefined;
      if (full) await full;
    }
    rows += group.length;
    events.onLines?.(rows);
  }
  return rows;
}

const typeKey = '"event_type"';
/** The key before any inner object, so that it is the event's own. */
const conversion = /^\{[^{\\]*?"event_type"\s*:\s*"conversion"/;

/**
 * Whether a line is a conversion, if it is JSON at all, and certainly names no affiliate. Most are, and need not be
 * parsed in the first reading. With an escape in it, a line may say anything.
 */
function namesNobody({ text }: LogLine): boolean {
  if (text.includes('\\') || text.includes('affiliate_id') || !conversion.test(text)) return false;
  return !text.includes(typeKey, text.indexOf(typeKey) + 1);
}

/** Stages what the first reading needs: all but the conversions that name no affiliate. Returns how many were faulty. */
async function stageReferrals(
  session: Session,
  mover: Mover,
  events: EventLog,
  read: ReturnType<typeof eventReader>,
): Promise<number> {
  const writer = new StageWriter(newIdPrefix(mover.now), { keepsAll: true, withEvents: true });
  const loader = new StageLoader(session, mover.accountId);
  let faults = 0;
  const flush = async () => {
    const packet = writer.take();
    faults += packet.faults.count;
    await loader.load(packet);
  };
  for await (const group of events.lines()) {
    for (const line of group) {
      if (namesNobody(line)) continue;
      const event = read(line);
      if (event.eventType !== 'conversion' || (event.affiliate && !event.fault)) writer.add(event);
    }
    if (writer.holds(stageLines)) await flush();
  }
  await flush();
  await loader.analyse();
  return faults;
}
