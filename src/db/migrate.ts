import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { PayrunError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';
import { type Db, isCommitUnknown, type Session } from './connect.ts';

export interface Migration {
  version: number;
  name: string;
  sha256: string;
  statements: string[];
}

const folder = new URL('src/db/migrations/', packageRoot);

/**
 * Brings the schema to the newest version, in one transaction, and returns the migrations that it applied.
 * Two processes at once: one applies, the other waits and finds nothing to do. `now` is stored with each.
 */
export async function migrate(db: Db, now: Date): Promise<Migration[]> {
  const known = await readMigrations();
  await db.sql.schema
    .createTable('payrun_migration')
    .ifNotExists()
    .addColumn('version', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'timestamptz', (column) => column.notNull())
    .execute()
    .catch(ignoreDoubleCreation);
  let missing: Migration[] = [];
  try {
    await db.transaction(async (session) => {
      await session.client.query('lock table payrun_migration in exclusive mode');
      missing = missingFrom(known, await appliedVersions(session));
      for (const migration of missing) await apply(session, migration, now);
    });
  } catch (cause) {
    // The answer to the commit was lost: the database knows whether it was done.
    if (!isCommitUnknown(cause) || (await pendingMigrations(db)).length > 0) throw cause;
  }
  return missing;
}

/** The migrations that the database still lacks; changes nothing. Raises `database-schema` if it has others than ours. */
export async function pendingMigrations(db: Db): Promise<Migration[]> {
  const known = await readMigrations();
  return db.session(async (session) => {
    const table = await session.client.query("select to_regclass('payrun_migration') as name");
    if (table.rows[0].name === null) return known;
    return missingFrom(known, await appliedVersions(session));
  });
}

async function readMigrations(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), 'utf8');
      return {
        version: Number(name.slice(0, 4)),
        name,
        sha256: createHash('sha256').update(text).digest('hex'),
        statements: text.split(/;[ \t]*\n/).filter((statement) => /^\s*[^\s-]/m.test(statement)),
      };
    }),
  );
}

async function appliedVersions(session: Session): Promise<Map<number, string>> {
  const applied = await session.client.query('select version, sha256 from payrun_migration');
  return new Map(applied.rows.map((row) => [row.version, row.sha256]));
}

function missingFrom(known: Migration[], applied: Map<number, string>): Migration[] {
  const newest = Math.max(0, ...applied.keys());
  const newestKnown = Math.max(0, ...known.map((migration) => migration.version));
  if (newest > newestKnown) {
    throw new PayrunError(
      'database-schema',
      `The database has schema version ${newest}; this Payrun knows ${newestKnown}.`,
      {
        todo: 'Use the Payrun that migrated this database, or a newer one.',
      },
    );
  }
  for (const migration of known) {
    const sha256 = applied.get(migration.version);
    if (sha256 !== undefined && sha256 !== migration.sha256) {
      throw new PayrunError(
        'database-schema',
        `Migration ${migration.name} differs from the one applied to this database.`,
        {
          todo: 'Use the Payrun that migrated this database; migrations are never edited once released.',
        },
      );
    }
  }
  return known.filter((migration) => !applied.has(migration.version));
}

async function apply(session: Session, migration: Migration, now: Date): Promise<void> {
  for (const statement of migration.statements) await session.client.query(statement);
  await session.client.query(
    'insert into payrun_migration (version, name, sha256, applied_at) values ($1, $2, $3, $4)',
    [migration.version, migration.name, migration.sha256, now],
  );
}

/** Two sessions that create the same table at once make one of them fail, though the table is then there. */
function ignoreDoubleCreation(cause: unknown): void {
  const code = (cause as { code?: string }).code;
  if (code !== '23505' && code !== '42P07') throw cause;
}
