import { sql } from 'kysely';
import { type Session, throwIfInterrupted } from '../../db/connect.ts';
import { CopyLines, copyIn, copyText } from '../../db/copy.ts';
import { listed, PayrunError } from '../../errors.ts';
import type { Mover } from '../../ledger/journal.ts';
import { createStage } from '../../ledger/stage.ts';
import type { Work } from '../../runs/work.ts';
import { type Mapping, rejectColumns } from '../columns.ts';
import { guessedEncoding } from '../files/encoding.ts';
import type { InputFile } from '../files/open.ts';
import { type CsvFile, readCsv } from '../files/records.ts';
import type { Landed } from '../landing.ts';
import type { Progress } from '../progress.ts';
import { writeRejectsCsv } from '../rejects-csv.ts';
import { besideCells } from '../sales/beside-rows.ts';
import { returned } from '../sales/returned.ts';
import { affiliateFields } from './affiliate-row.ts';
import { affiliateStep } from './affiliates.ts';
import { mapFlags, namedOtherwise, type PeopleKind, withProposal } from './people-proposal.ts';
import type { PeopleStep, Values } from './people-stage.ts';
import { referralFields } from './referral-row.ts';
import { referralStep } from './referrals.ts';

/** The fields that the columns of such files have. */
export const peopleFields: Record<PeopleKind, readonly string[]> = {
  affiliates: affiliateFields,
  referrals: referralFields,
};

/** Rows that are sent together: few enough to stay small in memory. */
const batchRows = 10_000;

export interface PeopleImport {
  file: InputFile;
  importId: string;
  /** The account's first programme, for new referrals. */
  programId: string;
  /** The zone of dates that name no offset. */
  timezone: string;
  progress: Progress;
  signal: AbortSignal;
  work: Pick<Work, 'context' | 'runId'>;
  /** Columns that are named otherwise than their fields. */
  mapping: Mapping;
}

/**
 * Imports a CSV of affiliates or referrals inside the caller's transaction: new ones are recorded, those that differ
 * updated, the same ones counted as duplicates. Raises `file-refused` for a file that can't be read as a whole.
 */
export async function importPeople(
  session: Session,
  mover: Mover,
  kind: PeopleKind,
  options: PeopleImport,
): Promise<Landed> {
  const { file } = options;
  let bytes = 0;
  const onBytes = (count: number) => {
    bytes += count;
  };
  const { csv, rejectsOf } = returned(await readCsv(file, { onBytes }));
  const step = await stepOf(kind, csv, options, mover.now);
  await createStage(session);
  const rows = await stageRows(session, step, csv, options, () => bytes / Math.max(1, file.bytes));
  if (rows === 0) throw emptyFile(file.shown, csv.headerLine);
  const { recorded, updated, duplicates, changes, warnings } = await step.settle(session, mover);
  const rejected = await countRejected(session);
  const ignored = csv.ignored();
  const again = async () => returned(await readCsv(file, { delimiter: csv.delimiter })).csv;
  const order = { ...options, again, accountId: mover.accountId };
  const rejects = rejected === 0 ? undefined : await writeRejectsCsv(session, order);
  return {
    rows: rows + ignored,
    counts: { recorded, updated, duplicates, conflicts: 0, rejected, parked: 0, ignored },
    sales: new Map(),
    commissions: new Map(),
    warnings: [
      ...guessedEncoding(file.encoding),
      ...besideCells(csv.beside.seen),
      ...unusedColumns(kind, csv.header, step, options.mapping),
      ...warnings,
      ...(rejects?.note === undefined ? [] : [rejects.note]),
    ],
    changes,
    rejects,
    rejectsOf: rejectsOf(),
  };
}

/** Copies sound rows to the staging table and faulty ones to the outcome table; returns how many were read. */
async function stageRows(
  session: Session,
  step: PeopleStep,
  csv: CsvFile,
  options: PeopleImport,
  share: () => number,
): Promise<number> {
  const { table, columns } = step;
  await session.client.query(`
    drop table if exists pg_temp.${table};
    create temp table ${table} (n integer not null, line integer not null,
      ${columns.map(([name, type]) => `${name} ${type}`).join(', ')}) on commit drop`);
  let sound = new CopyLines();
  let faulty = new CopyLines();
  const flush = async () => {
    await copyIn(session, sql`copy ${sql.table(table)} from stdin`, sound.pieces());
    await copyIn(
      session,
      sql`copy outcome (n, line, verdict, code, field, found) from stdin`,
      faulty.pieces(),
    );
    sound = new CopyLines();
    faulty = new CopyLines();
  };
  let rows = 0;
  for await (const group of csv.groups) {
    for (const record of group) {
      const place = [String(record.n), String(record.line)];
      const read = step.read(record);
      if (Array.isArray(read)) sound.add(copyLine([...place, ...read]));
      else faulty.add(copyLine([...place, 'rejected', read.code, read.field, read.found]));
    }
    rows += group.length;
    if (sound.count + faulty.count >= batchRows) await flush();
    throwIfInterrupted(options.signal);
    options.progress.at(rows, share());
  }
  await flush();
  await session.client.query(`analyze ${table}`);
  return rows;
}

function copyLine(values: Values): string {
  return `${values.map((value) => copyText(value) ?? '\\N').join('\t')}\n`;
}

/** Names and ids may be e-mail addresses; those are cut short before the report and the log can get hold of them. */
async function countRejected(session: Session): Promise<number> {
  await sql`/* imports.people.mask */
    update outcome set found = left(found, 1) || '…@…' where found like '%@%'`.execute(session.sql);
  const counted = await sql<{ rows: number }>`/* imports.people.rejected */
    select count(*)::integer as rows from outcome where verdict = 'rejected'`.execute(session.sql);
  return counted.rows[0]!.rows;
}

async function stepOf(kind: PeopleKind, csv: CsvFile, options: PeopleImport, now: Date): Promise<PeopleStep> {
  const { file, mapping } = options;
  try {
    return kind === 'affiliates' ? affiliateStep(csv, file.shown, mapping) : referralStep(csv, options, now);
  } catch (cause) {
    if (!(cause instanceof PayrunError) || cause.code !== 'file-refused') throw cause;
    throw await withProposal(cause, kind, csv, mapping);
  }
}

function unusedColumns(kind: PeopleKind, header: string[], step: PeopleStep, mapping: Mapping): string[] {
  const isRead = (name: string, at: number) =>
    name === '' || step.columnsUsed.has(at) || rejectColumns.includes(name.toLowerCase());
  const unused = header.filter((name, at) => !isRead(name, at));
  if (unused.length === 0) return [];
  const shown = listed(unused.map((name) => `"${name.slice(0, 40)}"`));
  const named = namedOtherwise(kind, header, mapping);
  const hint = named.length === 0 ? '' : `; to have them read, import with ${mapFlags(named)}`;
  return [`${shown}: not read, because these are no columns of such a file (${listed(step.fields)})${hint}`];
}

function emptyFile(shown: string, line: number): PayrunError {
  return new PayrunError('file-refused', 'The file has a header but no rows.', {
    place: { file: shown, line },
    todo: 'Export it again; a file of people has at least one row.',
  });
}
