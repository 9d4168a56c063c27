import { type Kysely, type Selectable, sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import type {
  CommissionRow,
  ConflictRow,
  ConversionRow,
  ImportRow,
  ProgramRow,
  Tables,
} from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { formatAmount } from '../money.ts';
import { rowOf, theRowOf } from './explain/rows.ts';

/** A known id that came again with other facts. */
export interface ConflictRecord {
  line: number;
  external_id: string;
  /** Field to both values, as people write them. */
  difference: Difference;
}

export type Difference = Record<string, { ours: string | null; theirs: string | null }>;

/** A conflict in a list: where it came from, and what became of it. */
export interface ConflictSummary extends ConflictRecord {
  id: string;
  status: ConflictRow['status'];
  import_id: string;
  file: string | null;
  found_at: Date | null;
  decided_by: string | null;
  decided_at: Date | null;
  reason: string | null;
}

/** A conflict with both of its sides and their origins. */
export interface ConflictStory {
  conflict: Selectable<ConflictRow>;
  conversion: Selectable<ConversionRow>;
  /** What the sale earned; undefined where it earned nothing. */
  commission: Selectable<CommissionRow> | undefined;
  program: Selectable<ProgramRow>;
  /** The ref of the affiliate that the recorded sale belongs to. */
  affiliateRef: string;
  /** The imports by which the sale was recorded, and by which it came again. */
  ours: Selectable<ImportRow> | undefined;
  theirs: Selectable<ImportRow> | undefined;
}

/** The latest conflicts of an account, at most `limit`, newest first: the open ones, or all with the open ones first. */
export async function listConflicts(
  db: Kysely<Tables>,
  accountId: number,
  { all, limit }: { all: boolean; limit: number },
): Promise<ConflictSummary[]> {
  const open = await summaries(db, accountId).where('conflict.status', '=', 'open').limit(limit).execute();
  const decided =
    all && open.length < limit
      ? await summaries(db, accountId)
          .where('conflict.status', '<>', 'open')
          .limit(limit - open.length)
          .execute()
      : [];
  return [...open, ...decided].map(readable);
}

/** The conflicts of an account, newest first, at most `limit`, behind the conflict `after` where it is given; of one status where it is given. */
export async function pageConflicts(
  sql: Kysely<Tables>,
  accountId: number,
  {
    status,
    after,
    limit,
  }: { status?: ConflictRow['status'] | undefined; after?: string | undefined; limit: number },
): Promise<ConflictSummary[]> {
  const rows = await summaries(sql, accountId)
    .$if(status !== undefined, (query) => query.where('conflict.status', '=', status!))
    .$if(after !== undefined, (query) => query.where('conflict.id', '<', after!))
    .limit(limit)
    .execute();
  return rows.map(readable);
}

/** The first `limit` lines that an import brought conflicts by, in order; one may stand on several. */
export async function conflictsOfImport(
  session: Pick<Session, 'sql'>,
  accountId: number,
  importId: string,
  limit: number,
): Promise<ConflictRecord[]> {
  const rows = await sql<ConflictRecord & { currency: string }>`/* ledger.conflicts.of_import */
    select each.line, k.external_id, k.difference, c.currency
    from conflict k join conversion c on c.account_id = ${accountId} and c.id = k.conversion_id
    cross join lateral unnest(array[k.line] || k.further_lines) each(line)
    where k.account_id = ${accountId} and k.import_id = ${importId}::uuid
    order by each.line limit ${limit}`.execute(session.sql);
  return rows.rows.map(readable);
}

/** By how many lines an import brought conflicts first, and how many of these nobody has decided about. */
export async function countConflicts(
  session: Pick<Session, 'sql'>,
  accountId: number,
  importId: string,
): Promise<{ all: number; open: number }> {
  const counted = await session.sql
    .selectFrom('conflict')
    .select('status')
    .select(sql<number>`sum(1 + cardinality(further_lines))::integer`.as('rows'))
    .where('account_id', '=', accountId)
    .where('import_id', '=', importId)
    .groupBy('status')
    .execute();
  const rows = (status?: string) =>
    counted
      .filter((one) => status === undefined || one.status === status)
      .reduce((sum, one) => sum + one.rows, 0);
  return { all: rows(), open: rows('open') };
}

/** One conflict by its UUID, to be read in a snapshot. Raises `not-found`. */
export async function readConflict(
  session: Session,
  accountId: number,
  conflictId: string,
): Promise<ConflictStory> {
  const conflict = await session.sql
    .selectFrom('conflict')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('id', '=', conflictId)
    .executeTakeFirst();
  if (!conflict) throw noSuchConflict(conflictId);
  const conversion = await theRowOf(session, accountId, 'conversion', conflict.conversion_id);
  return {
    conflict,
    conversion,
    commission: await rowOf(session, accountId, 'commission', conversion.id),
    program: await theRowOf(session, accountId, 'program', conversion.program_id),
    affiliateRef: (await theRowOf(session, accountId, 'affiliate', conversion.affiliate_id)).ref,
    ours: await rowOf(session, accountId, 'import', conversion.import_id),
    theirs: await rowOf(session, accountId, 'import', conflict.import_id),
  };
}

/** A stored difference with its amounts, which are minor units there, as exact decimals; `currency` is the recorded sale's. */
export function readableDifference(stored: Difference, currency: string): Difference {
  const ours = stored.currency?.ours ?? currency;
  const theirs = stored.currency?.theirs ?? currency;
  const shown = (minor: string | null, of: string) =>
    minor === null ? null : formatAmount(BigInt(minor), of);
  const fields = Object.entries(stored).map(([field, values]) =>
    field === 'amount' || field === 'refunded_total'
      ? [field, { ours: shown(values.ours, ours), theirs: shown(values.theirs, theirs) }]
      : [field, values],
  );
  return Object.fromEntries(fields);
}

/** Says that a conflict is not there, and where to look. */
export function noSuchConflict(conflictId: string): PayrunError {
  return new PayrunError('not-found', 'There is no conflict with this id.', {
    found: showId('conflict', conflictId),
    todo: 'Check the id; "payrun conflicts list --all" shows what there is.',
  });
}

function readable<Row extends { difference: Difference; currency: string }>({ currency, ...row }: Row) {
  return { ...row, difference: readableDifference(row.difference, currency) };
}

function joined(db: Kysely<Tables>, accountId: number) {
  return db
    .selectFrom('conflict')
    .innerJoin('conversion', (join) =>
      join
        .onRef('conversion.account_id', '=', 'conflict.account_id')
        .onRef('conversion.id', '=', 'conflict.conversion_id'),
    )
    .where('conflict.account_id', '=', accountId);
}

function summaries(db: Kysely<Tables>, accountId: number) {
  return joined(db, accountId)
    .leftJoin('import', (join) =>
      join
        .onRef('import.account_id', '=', 'conflict.account_id')
        .onRef('import.id', '=', 'conflict.import_id'),
    )
    .select([
      'conflict.id',
      'conflict.status',
      'conflict.line',
      'conflict.external_id',
      'conflict.difference',
    ])
    .select(['conversion.currency', 'conflict.import_id', 'import.file'])
    .select(({ fn }) => fn.coalesce('conflict.found_at', 'import.finished_at').as('found_at'))
    .select(['conflict.decided_by', 'conflict.decided_at', 'conflict.reason'])
    .orderBy('conflict.id', 'desc');
}
