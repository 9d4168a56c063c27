import type { Session } from '../../db/connect.ts';
import { newIdPrefix } from '../../ids.ts';
import { DisputeStage } from '../../ledger/dispute.ts';
import { recordEvents } from '../../ledger/events.ts';
import type { Mover } from '../../ledger/journal.ts';
import { addVerdicts, noVerdicts, type Verdicts } from '../../ledger/record/verdicts.ts';
import { type Batch, postTally } from '../../ledger/record.ts';
import { RefundStage } from '../../ledger/reverse.ts';
import { createStage, type StagedSale } from '../../ledger/stage.ts';
import { StageLoader } from '../../ledger/stage-loader.ts';
import { StageWriter } from '../../ledger/stage-writer.ts';
import type { RowFault } from '../faults.ts';
import { warningOf } from '../landing.ts';
import { batchRecorder } from '../sales/batches.ts';
import { customersOfOthers } from '../sales/sales.ts';
import type { LogRecorder } from './event-log.ts';
import type { Ignored, SaleFact } from './stripe/fact.ts';
import { attributed, countUnmet, createNotes, withPartner } from './stripe/notes.ts';
import { Readings } from './stripe/readings.ts';
import { stripeReader } from './stripe/translate.ts';

/** Lines that are sent to the server together. */
const together = 2_000;

type IgnoredCounts = Record<Ignored, number>;

/**
 * Records a log of Stripe's events, in readings that make the order of its lines not matter: first who brought whom, and
 * what is said about payments; then the charges; then the invoices that name a charge, for those charges that the log
 * does not have; last the refunds and disputes, which are staged for the caller. Sales and refunds in which no partner has
 * a part are ignored.
 */
export const recordStripeLog: LogRecorder = async (session, mover, events) => {
  await createStage(session);
  const { program, importId, log, settings, rates, receivedAt, again } = events;
  const isAgain = again !== undefined;
  const idPrefix = settings.id_prefix;
  const testEvents = settings.test_events === true;
  const readings = new Readings(events, stripeReader({ program, idPrefix, rates, testEvents, receivedAt }));
  const { hasNotes, ...first } = await readPeople(session, mover, readings);
  const strangers = 'ignored' as const;
  const people = await recordEvents(session, mover, {
    programId: program.id,
    importId,
    log,
    strangers,
    again,
  });
  const batch = { program, importId, hasCustomers: true, log, mayOmitProducts: true };
  const sales: Verdicts = { ...noVerdicts };
  let ignored = readings.count('ignored') + people.ignored;
  for (const kind of ['charge', 'invoice'] as const) {
    const ended = await recordSales(session, mover, batch, readings, { kind, hasNotes, isAgain });
    ignored += ended.ignored;
    addVerdicts(sales, ended.verdicts);
  }
  const unmet = hasNotes ? await countUnmet(session, mover.accountId, idPrefix) : 0;
  const refunds = await new RefundStage(session).open();
  ignored += await stageRefunds(session, mover, readings, refunds);
  const disputes = await new DisputeStage(session).open();
  await stageDisputes(readings, disputes);
  const { otherAffiliate, ...counts } = sales;
  return {
    rows: first.rows,
    counts: {
      ...counts,
      recorded: counts.recorded + people.recorded,
      duplicates: counts.duplicates + people.duplicates,
      rejected: counts.rejected + people.rejected + readings.count('fault'),
      ignored,
    },
    tally: await postTally(session, mover, batch),
    warnings: [...customersOfOthers(otherAffiliate), ...warningsOf(readings, first.ignored, unmet)],
    refunds,
    disputes,
  };
};

/**
 * The first reading: stages the people and keeps the notes. Returns how many lines there are, how many were ignored why, and
 * whether there are notes.
 */
async function readPeople(
  session: Session,
  mover: Mover,
  readings: Readings,
): Promise<{ rows: number; ignored: IgnoredCounts; hasNotes: boolean }> {
  const notes = await createNotes(session);
  const writer = new StageWriter(newIdPrefix(mover.now), { keepsAll: true, withEvents: true });
  const loader = new StageLoader(session, mover.accountId);
  const ignored = { type: 0, test: 0, unattributed: 0, 'no-money': 0, 'no-charge': 0 };
  let rows = 0;
  const flush = () => loader.load(writer.take());
  for await (const group of readings.all()) {
    for (const { line, fact } of group) {
      if (fact.kind === 'ignored') ignored[fact.why] += 1;
      if (fact.kind === 'person') writer.add(fact.event);
      if (fact.kind === 'fault') writer.add({ n: line.n, line: line.line, ...faultOf(fact.fault) });
      if ('sale' in fact && fact.sale.affiliate && !fact.sale.fault) writer.add(fact.sale);
      const sent = 'note' in fact && fact.note ? notes.add(fact.note) : undefined;
      if (sent) await sent;
    }
    rows += group.length;
    if (writer.holds(together)) await flush();
  }
  await flush();
  const hasNotes = await notes.finish();
  await loader.analyse();
  return { rows, ignored, hasNotes };
}

/** Records the sales of one kind of witness; those in which no partner has a part are ignored. */
async function recordSales(
  session: Session,
  mover: Mover,
  batch: Batch,
  readings: Readings,
  { kind, hasNotes, isAgain }: { kind: SaleFact['kind']; hasNotes: boolean; isAgain: boolean },
): Promise<{ verdicts: Verdicts; ignored: number }> {
  await session.client.query('truncate name, terms');
  const recorder = batchRecorder(session, mover, batch, {
    idPrefix: newIdPrefix(mover.now),
    isAgain,
  });
  let ignored = 0;
  for await (const facts of inParts(readings.again(kind))) {
    const sales = await attributed(session, mover.accountId, facts, hasNotes);
    ignored += facts.length - sales.length;
    for (const sale of sales) {
      const full = recorder.add(sale);
      if (full) await full;
    }
  }
  return { verdicts: await recorder.finish(), ignored };
}

/** Stages the refunds that a partner has a part in; returns how many others there are. */
async function stageRefunds(
  session: Session,
  mover: Mover,
  readings: Readings,
  stage: RefundStage,
): Promise<number> {
  let ignored = 0;
  for await (const facts of inParts(readings.again('refund'))) {
    const all = facts.map(({ refund }) => refund);
    const kept = await withPartner(session, mover.accountId, all);
    ignored += all.length - kept.length;
    for (const refund of kept) {
      const full = stage.add(refund);
      if (full) await full;
    }
  }
  // Those that failed name nothing but the charge, whose sale may still come.
  for await (const facts of readings.again('failure')) {
    for (const { refund } of facts) {
      const full = stage.add(refund);
      if (full) await full;
    }
  }
  return ignored;
}

/** Stages all disputes: they name nothing but the charge, whose sale may still come. */
async function stageDisputes(readings: Readings, stage: DisputeStage): Promise<void> {
  for await (const facts of readings.again('dispute')) {
    for (const { dispute } of facts) {
      const full = stage.add(dispute);
      if (full) await full;
    }
  }
}

/** The same in parts that are worth a statement each. */
async function* inParts<T>(groups: AsyncIterable<T[]>): AsyncGenerator<T[]> {
  let part: T[] = [];
  for await (const group of groups) {
    part.push(...group);
    if (part.length < together) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

function faultOf({ code, field, found }: RowFault): Pick<StagedSale, 'fault' | 'faultField' | 'faultFound'> {
  return { fault: code, faultField: field, faultFound: found };
}

function warningsOf(readings: Readings, ignored: IgnoredCounts, unmet: number): string[] {
  // With charges in the log it is normal that others of its events do not name one.
  const hasCharges = readings.count('charge') + readings.count('invoice') > 0;
  return [
    ...warningOf(
      ignored.test,
      'event is of Stripe’s test mode and was ignored; "test_events" in the source takes it',
      'events are of Stripe’s test mode and were ignored; "test_events" in the source takes them',
    ),
    ...warningOf(
      hasCharges ? 0 : ignored['no-charge'],
      'payment does not name its charge, and the log has no charges; have charge.succeeded sent to it too',
      'payments do not name their charge, and the log has no charges; have charge.succeeded sent to it too',
    ),
    ...warningOf(
      unmet,
      'payment of a partner has no charge in this log; if an earlier log has it, import that one once more with --again',
      'payments of partners have no charge in this log; if earlier logs have them, import those once more with --again',
    ),
  ];
}
