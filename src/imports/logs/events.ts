import { type Session, throwIfInterrupted } from '../../db/connect.ts';
import { newId } from '../../ids.ts';
import { programTerms } from '../../ledger/record.ts';
import { assertExpected } from '../expected.ts';
import { invisibleTaken } from '../files/invisible.ts';
import { type LogLine, type LogSeen, logLines } from '../files/ndjson.ts';
import type { InputFile } from '../files/open.ts';
import type { Landed, Landing } from '../landing.ts';
import { type Preview, previewOf } from '../preview.ts';
import type { Rates } from '../rates.ts';
import { matched, outcomes } from '../rejects.ts';
import { settleRefunds } from '../sales/refunds.ts';
import type { Source } from '../source.ts';
import { recordAffonsoLog } from './affonso.ts';
import { affonsoView } from './affonso-view.ts';
import { affonsoIdOf } from './event-line.ts';
import type { LogKind, LogReading, LogRecorder } from './event-log.ts';
import { LogSurvey, type LogView } from './log-survey.ts';
import { unwrapped, writeRejectsLog } from './rejects-log.ts';
import { eventIdOf } from './stripe/translate.ts';
import { stripeView } from './stripe/view.ts';
import { recordStripeLog } from './stripe.ts';

/** How the logs of each kind are recorded and looked at, and the id by which a line of theirs is parked once. */
const logs: Record<LogKind, LogWays> = {
  affonso_events: {
    record: recordAffonsoLog,
    view: affonsoView,
    eventIdOf: affonsoIdOf,
  },
  stripe_events: {
    record: recordStripeLog,
    view: stripeView,
    eventIdOf,
  },
};

interface LogWays {
  record: LogRecorder;
  view(log: LogReading): LogView;
  eventIdOf(text: string): string | undefined;
}

export function recorderOf(kind: LogKind): LogRecorder {
  return logs[kind].record;
}

/** Lands the event log of a file, and parks the lines that can't be recorded yet. */
export async function landEvents(
  session: Session,
  landing: Landing,
  kind: LogKind,
  source: Source,
  rates: Rates,
): Promise<Landed & { sourceId: string | null }> {
  const { work, mover, importId, progress } = landing;
  // JSON is UTF-8, unless a mark says otherwise.
  const isUtf8 = landing.file.encoding.encoding === 'utf-8';
  const file = landing.file.as(source.settings.encoding ?? (isUtf8 ? undefined : 'utf-8'));
  const program = await programTerms(session, mover.accountId, source.programId);
  const log: LogReading = {
    program,
    importId,
    log: 'new',
    settings: source.settings,
    rates,
    receivedAt: mover.now,
  };
  const isLookedAt = work.dryRun || landing.expected !== undefined;
  const survey = isLookedAt ? new LogSurvey(logs[kind].view(log)) : undefined;
  let bytes = 0;
  let readings = 0;
  const seen: LogSeen = { blankLines: 0, invisible: 0 };
  const lines = () => {
    readings += 1;
    const isSecond = readings === 2;
    const onBytes = (count: number) => {
      if (isSecond) bytes += count;
    };
    const counted = readings === 1 ? seen : undefined;
    const all = logLines(file.read(onBytes), file, source.settings.allow_partial, counted);
    const read = unwrapped(all, (importId) => {
      rejectsOf = importId;
    });
    return looked(read, readings === 1 ? survey : undefined);
  };
  let rejectsOf: string | undefined;
  async function* looked(
    groups: AsyncIterable<LogLine[]>,
    looking: LogSurvey | undefined,
  ): AsyncGenerator<LogLine[]> {
    for await (const group of groups) {
      throwIfInterrupted(work.context.signal);
      looking?.look(group);
      yield group;
    }
    if (looking && landing.expected) assertExpected(landing.expected, looking.controls, file.shown);
  }
  const onLines = (rows: number) => progress.at(rows, bytes / Math.max(1, file.bytes));
  const { rows, counts, tally, warnings, ...staged } = await recorderOf(kind)(session, mover, {
    ...log,
    lines,
    ahead: landing.ahead,
    again: landing.isAgain ? landing.file.sha256 : undefined,
    onLines,
  });
  if (counts.parked > 0) {
    const doubles = await park(session, { ...landing, file }, kind, source);
    counts.parked -= doubles;
    counts.duplicates += doubles;
  }
  const { ignored, ...ended } = counts;
  const again = { ...staged, isAgain: landing.isAgain };
  const settled = await settleRefunds(session, mover, importId, again, { counts: ended, ...tally });
  return {
    rows: rows + seen.blankLines,
    ...settled,
    counts: { ...settled.counts, ignored: ignored + seen.blankLines },
    warnings: [...invisibleTaken(seen), ...warnings],
    rejects: settled.counts.rejected === 0 ? undefined : await writeRejectsLog(session, { ...landing, file }),
    rejectsOf,
    preview:
      work.dryRun && survey ? await previewOf(session, mover, importId, surveyed(file, survey)) : undefined,
    sourceId: source.id ?? null,
  };
}

function surveyed({ encoding }: InputFile, { rows, types }: LogSurvey): Omit<Preview, 'affiliates'> {
  return { encoding, delimiter: null, header_line: null, styles: [], rows, not_used: [], event_types: types };
}

/** Keeps the lines to be tried again, each event id once; returns how many were doubles of another one. */
async function park(session: Session, landing: Landing, kind: LogKind, source: Source): Promise<number> {
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
  const lines = unwrapped(logLines(file.read(), file, true));
  for await (const { record } of matched(lines, outcomes(session, 'parked'))) {
    const external = logs[kind].eventIdOf(record.text);
    const prefixed = external ? source.settings.id_prefix + external : null;
    rows.push({ line: record.line, body: record.text, external: prefixed, id: newId(mover.now) });
    if (rows.length >= 1_000) await flush();
  }
  await flush();
  return doubles;
}
