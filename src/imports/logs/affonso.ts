import type { Session } from '../../db/connect.ts';
import { newIdPrefix } from '../../ids.ts';
import { recordEvents } from '../../ledger/events.ts';
import type { Mover } from '../../ledger/journal.ts';
import { postTally } from '../../ledger/record.ts';
import { createStage } from '../../ledger/stage.ts';
import { StageLoader } from '../../ledger/stage-loader.ts';
import { StageWriter } from '../../ledger/stage-writer.ts';
import type { LogLine } from '../files/ndjson.ts';
import { batchRecorder } from '../sales/batches.ts';
import { customersOfOthers } from '../sales/sales.ts';
import { eventReader } from './event-line.ts';
import type { EventLog, LogRecorder } from './event-log.ts';

/** Lines that are sent to the stage together. */
const stageLines = 20_000;

/**
 * Records a log of the bodies of Affonso's POST /v1/events, in two readings: first every line's referral and the events
 * that move no money, then the conversions as sales, so that a lead that stands behind its sale still counts first.
 */
export const recordAffonsoLog: LogRecorder = async (session, mover, events) => {
  await createStage(session);
  const { program, importId, log, settings, rates, receivedAt, ahead, again } = events;
  const isAgain = again !== undefined;
  const { timezone, id_prefix: idPrefix } = settings;
  const read = eventReader({ program, timezone, idPrefix, rates, receivedAt });
  const faults = await stageReferrals(session, mover, events, read);
  const strangers = 'parked' as const;
  const counted = await recordEvents(session, mover, {
    programId: program.id,
    importId,
    log,
    strangers,
    again,
  });
  await session.client.query('truncate name, terms');
  const batch = { program, importId, hasCustomers: true, log };
  const recording = { idPrefix: newIdPrefix(mover.now), isAgain, ...(ahead ? { ahead } : {}) };
  const recorder = batchRecorder(session, mover, batch, recording);
  let rows = 0;
  for await (const group of events.lines()) {
    for (const line of group) {
      const event = read(line);
      const isOurs = event.eventType === 'conversion' || namesNobody(line);
      const full = isOurs ? recorder.add(event) : undefined;
      if (full) await full;
    }
    rows += group.length;
    events.onLines(rows);
  }
  const { otherAffiliate, ...sales } = await recorder.finish();
  const counts = {
    ...sales,
    recorded: sales.recorded + counted.recorded,
    duplicates: sales.duplicates + counted.duplicates,
    rejected: sales.rejected + counted.rejected + faults,
    parked: sales.parked + counted.parked,
    ignored: 0,
  };
  return {
    rows,
    counts,
    tally: await postTally(session, mover, batch, recorder.bought()),
    warnings: customersOfOthers(otherAffiliate),
  };
};

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
