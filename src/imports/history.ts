import { access } from 'node:fs/promises';
import path from 'node:path';
import { type Kysely, type Selectable, sql as sqlText } from 'kysely';
import type { Session } from '../db/connect.ts';
import type { ImportRow, Tables } from '../db/tables.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { type ConflictRecord, conflictsOfImport, countConflicts } from '../ledger/conflicts.ts';
import { openRejects } from './open-rejects.ts';

/** An import as its row has it, with the job of the run that did it and the ref of its source. */
export interface ImportRecord extends Selectable<ImportRow> {
  job: string | null;
  source: string | null;
}

/** An import with everything that hangs together with it. */
export interface ImportHistory {
  import: ImportRecord;
  /** The imports whose rejects came back as this one: the one before it first, the very first last. */
  before: ImportRecord[];
  /** The imports by which its own rejects came back, oldest first. */
  after: ImportRecord[];
  /** The first conflicts that it brought, and how many there are. */
  conflicts: { first: ConflictRecord[]; all: number; open: number };
  /** Whether its rejects file still lies in the workspace. */
  hasRejectsFile: boolean;
}

/** How many conflicts of an import are shown one by one. */
const listed = 20;

/**
 * The latest imports of an account, newest first, at most `limit`, behind the import `after` where it is given; with `isOpen` those alone that have rejected
 * rows which nobody has corrected and imported again.
 */
export async function listImports(
  sql: Kysely<Tables>,
  accountId: number,
  { limit, isOpen, after }: { limit: number; isOpen?: boolean | undefined; after?: string | undefined },
): Promise<ImportRecord[]> {
  const ids = isOpen ? (await openRejects({ sql }, accountId)).map(({ id }) => id) : undefined;
  return records(sql, accountId)
    .$if(ids !== undefined, (query) => query.where(sqlText<boolean>`import.id = any(${ids}::uuid[])`))
    .$if(after !== undefined, (query) =>
      query.where(
        sqlText<boolean>`(import.finished_at, import.id) < (
          select finished_at, id from import where account_id = ${accountId} and id = ${after}::uuid)`,
      ),
    )
    .orderBy('import.finished_at', 'desc')
    .orderBy('import.id', 'desc')
    .limit(limit)
    .execute();
}

/** The imports of files of this name, with or without the folders before it, newest first. */
export async function importsOfFile(
  sql: Kysely<Tables>,
  accountId: number,
  name: string,
): Promise<ImportRecord[]> {
  const tail = `/${name}`;
  return records(sql, accountId)
    .where(sqlText<boolean>`(import.file = ${name} or right(import.file, ${tail.length}) = ${tail})`)
    .orderBy('import.finished_at', 'desc')
    .orderBy('import.id', 'desc')
    .execute();
}

/** One import by its UUID, to be read in a snapshot; `workspace` is where its rejects file lay. Raises `not-found`. */
export async function showImport(
  session: Session,
  accountId: number,
  { importId, workspace }: { importId: string; workspace: string },
): Promise<ImportHistory> {
  const found = await importOf(session, accountId, importId);
  if (!found)
    throw new PayrunError('not-found', 'There is no import with this id.', {
      found: showId('import', importId),
      todo: 'Check the id; "payrun imports list" shows what there is.',
    });
  const before: ImportRecord[] = [];
  for (let id = found.rejects_of; id !== null; id = before.at(-1)!.rejects_of)
    before.push((await importOf(session, accountId, id))!);
  const after = await records(session.sql, accountId)
    .where('import.rejects_of', '=', importId)
    .orderBy('import.finished_at')
    .orderBy('import.id')
    .execute();
  const first = await conflictsOfImport(session, accountId, importId, listed);
  const counted = await countConflicts(session, accountId, importId);
  const file = found.rejects_file;
  const hasRejectsFile = file !== null && (await isThere(path.join(workspace, file)));
  return { import: found, before, after, conflicts: { first, ...counted }, hasRejectsFile };
}

function records(sql: Kysely<Tables>, accountId: number) {
  return sql
    .selectFrom('import')
    .leftJoin('run', (join) =>
      join.onRef('run.account_id', '=', 'import.account_id').onRef('run.id', '=', 'import.run_id'),
    )
    .leftJoin('source', (join) =>
      join.onRef('source.account_id', '=', 'import.account_id').onRef('source.id', '=', 'import.source_id'),
    )
    .selectAll('import')
    .select(['run.job', 'source.ref as source'])
    .where('import.account_id', '=', accountId);
}

/** A chain ends, because an import names only one that was there before it. */
function importOf(session: Session, accountId: number, importId: string): Promise<ImportRecord | undefined> {
  return records(session.sql, accountId).where('import.id', '=', importId).executeTakeFirst();
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
