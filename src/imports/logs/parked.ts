import { sql } from 'kysely';
import { type Session, throwIfInterrupted } from '../../db/connect.ts';
import type { Mover } from '../../ledger/journal.ts';
import { programTerms } from '../../ledger/record.ts';
import type { Outcome, Work } from '../../runs/work.ts';
import type { LogLine } from '../files/ndjson.ts';
import { totalsOf } from '../landing.ts';
import { loadRates } from '../rates.ts';
import { sourcesFor } from '../source.ts';
import { kindOfLine } from './event-log.ts';
import { recorderOf } from './events.ts';

const page = 5_000;

interface ParkedGroup {
  program_id: string;
  source_id: string | null;
  import_id: string;
  received_at: Date;
  /** One of its lines. */
  body: string;
}

/**
 * Tries every parked event of the account again inside the caller's transaction, under the import it came with.
 * What is recorded now, or turns out to be a duplicate, is parked no longer; the rest waits for a later night.
 */
export async function retryParkedEvents(session: Session, work: Work, mover: Mover): Promise<Outcome> {
  const { context, account } = work;
  await keepImports(session, account.id);
  const groups = await parkedGroups(session, account.id);
  const counts = { rows: 0, recorded: 0, updated: 0, duplicates: 0, conflicts: 0, still_parked: 0 };
  const sales = new Map<string, bigint>();
  const commissions = new Map<string, bigint>();
  if (groups.length === 0) return { counts, totals: {} };
  const rates = await loadRates(context.config.workspace, context.signal);
  for (const group of groups) {
    const program = await programTerms(session, account.id, group.program_id);
    const kind = kindOfLine(group.body);
    const sources = await sourcesFor(work, kind, undefined);
    const settings = sources.find((source) => source.id === group.source_id)?.settings;
    const importId = group.import_id;
    const tried = await recorderOf(kind)(session, mover, {
      lines: () => parkedLines(session, account.id, importId, context.signal),
      program,
      importId,
      log: 'parked',
      settings: settings ?? { id_prefix: '' },
      rates,
      receivedAt: group.received_at,
    });
    const left = tried.rows - (await unpark(session, account.id, importId));
    counts.rows += tried.rows;
    counts.recorded += tried.counts.recorded;
    counts.updated += tried.counts.updated;
    counts.duplicates += tried.counts.duplicates;
    counts.conflicts += tried.counts.conflicts;
    counts.still_parked += left;
    addTo(sales, tried.tally.sales);
    addTo(commissions, tried.tally.commissions);
  }
  const { rows, ...ended } = counts;
  if (Object.values(ended).reduce((sum, count) => sum + count) !== rows)
    throw new Error(`${rows} parked lines were tried, but ended as ${JSON.stringify(ended)}`);
  const exitCode = counts.conflicts > 0 ? 3 : 0;
  return { counts, totals: totalsOf({ sales, commissions }), exitCode };
}

/** Nobody undoes an import while its lines are being recorded. */
async function keepImports(session: Session, accountId: number): Promise<void> {
  await sql`/* imports.keep */
    select from import where account_id = ${accountId}
      and id in (select import_id from parked_event where account_id = ${accountId})
    order by id for share`.execute(session.sql);
}

async function parkedGroups(session: Session, accountId: number): Promise<ParkedGroup[]> {
  return session.sql
    .selectFrom('parked_event')
    .select(({ fn }) => [
      'program_id',
      'source_id',
      'import_id',
      fn.min('received_at').as('received_at'),
      fn.min('body').as('body'),
    ])
    .where('account_id', '=', accountId)
    .groupBy(['program_id', 'source_id', 'import_id'])
    .orderBy('import_id')
    .execute();
}

/** The parked lines of one import, numbered in order of their ids. */
async function* parkedLines(
  session: Session,
  accountId: number,
  importId: string,
  signal: AbortSignal,
): AsyncGenerator<LogLine[]> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (let n = 0; ; ) {
    throwIfInterrupted(signal);
    const rows = await session.sql
      .selectFrom('parked_event')
      .select(['id', 'line', 'body'])
      .where('account_id', '=', accountId)
      .where('import_id', '=', importId)
      .where('id', '>', after)
      .orderBy('id')
      .limit(page)
      .execute();
    const last = rows.at(-1);
    if (!last) return;
    after = last.id;
    yield rows.map((row) => ({ n: ++n, line: row.line, text: row.body }));
  }
}

/** Takes the lines of an import that ended in this try out of the parked ones; returns how many. */
async function unpark(session: Session, accountId: number, importId: string): Promise<number> {
  const ended = await sql`/* imports.unpark */
    delete from parked_event p using (
      select id, row_number() over (order by id) as n from parked_event
      where account_id = ${accountId} and import_id = ${importId}
    ) numbered
    where p.account_id = ${accountId} and p.id = numbered.id and not exists (
      select from outcome o where o.n = numbered.n and o.verdict in ('rejected', 'parked'))`.execute(
    session.sql,
  );
  return Number(ended.numAffectedRows ?? 0n);
}

function addTo(sum: Map<string, bigint>, more: Map<string, bigint>): void {
  for (const [currency, amount] of more) sum.set(currency, (sum.get(currency) ?? 0n) + amount);
}
