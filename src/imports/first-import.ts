import type { Session } from '../db/connect.ts';
import type { ImportRow } from '../db/tables.ts';
import { readId } from '../ids.ts';
import type { Evidence } from './values/styles.ts';

/**
 * The UUID of the import whose rejects came back as a file of `kind` and `name`: the one that its rows name
 * (`inRows`), else the one that the file's own name has in it. Undefined where the account has no such import of that
 * kind.
 */
export async function firstImport(
  session: Session,
  accountId: number,
  { kind, file }: { kind: ImportRow['kind']; file: { name: string } },
  inRows: string | undefined,
): Promise<string | undefined> {
  const id = inRows ?? readId(/imp_[0-9a-z]{26}/i.exec(file.name)?.[0] ?? '')?.id;
  if (id === undefined) return undefined;
  const first = await session.sql
    .selectFrom('import')
    .select('id')
    .where('account_id', '=', accountId)
    .where('id', '=', id)
    .where('kind', '=', kind)
    .executeTakeFirst();
  return first?.id;
}

/** What showed in an import how its columns are written; nothing where it is not known, or there was no such import. */
export async function stylesOf(
  session: Session,
  accountId: number,
  importId: string | undefined,
): Promise<Evidence[]> {
  if (importId === undefined) return [];
  const found = await session.sql
    .selectFrom('import')
    .select(['file', 'report'])
    .where('account_id', '=', accountId)
    .where('id', '=', importId)
    .executeTakeFirst();
  return (found?.report?.styles ?? []).map((one) => ({ file: found!.file, ...one }));
}

/** The ref of the source by which an import read its file, if it was one of payrun.json's and there was such an import. */
export async function sourceOf(
  session: Session,
  accountId: number,
  importId: string | undefined,
): Promise<string | undefined> {
  if (importId === undefined) return undefined;
  const found = await session.sql
    .selectFrom('import')
    .innerJoin('source', (join) =>
      join.onRef('source.account_id', '=', 'import.account_id').onRef('source.id', '=', 'import.source_id'),
    )
    .select('source.ref')
    .where('import.account_id', '=', accountId)
    .where('import.id', '=', importId)
    .executeTakeFirst();
  return found?.ref;
}
