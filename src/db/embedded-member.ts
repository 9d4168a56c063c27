import { readFile, writeFile } from 'node:fs/promises';
import pg from 'pg';
import { databaseName, superuser } from './embedded-cluster.ts';
import { embeddedFault } from './embedded-log.ts';
import { type Place, readPassword } from './embedded-place.ts';
import type { Postmaster } from './embedded-postmaster.ts';

/** Advisory locks belong to one database, so everyone meets in this one; it is never cloned or dropped. */
const meetingPlace = 'postgres';

/** Members hold this lock together for as long as they use the server; who gets it alone is the last. */
const memberLock = 1_885_434_486;

const memberName = 'payrun member';

/** A session that keeps the server up by holding the members' lock, or may take it alone to stop the server. */
export type MemberSession = pg.Client;

const over = new WeakSet<MemberSession>();

/** Whether the session has ended, and with it its share of the lock: the server died, or began anew after a crash. */
export function isOver(session: MemberSession): boolean {
  return over.has(session);
}

/**
 * Opens a session on the server. Returns the reason instead when the server does not answer yet, or not any more,
 * and it is worth asking again. Raises `database-embedded` when the server refuses for good.
 */
export async function openSession(
  place: Place,
  server: Postmaster,
  signal: AbortSignal | undefined,
): Promise<MemberSession | Error> {
  const session = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    user: superuser,
    password: await readPassword(place),
    database: meetingPlace,
    application_name: memberName,
    ssl: false,
    connectionTimeoutMillis: 5_000,
    options: '-c lock_timeout=5000 -c idle_session_timeout=0',
  });
  // The server may go at any time; whoever works with it learns that from a statement of their own.
  session.on('error', () => {});
  session.once('end', () => over.add(session));
  return untilAborted(session, signal, async () => {
    try {
      await session.connect();
      return session;
    } catch (cause) {
      await closeSession(session);
      if (!(cause instanceof pg.DatabaseError) || !/^(28|3D)/.test(String(cause.code))) return cause as Error;
      throw await embeddedFault(place, 'The embedded database refuses its own password.', { cause });
    }
  });
}

/** Becomes a member. False when the server went away instead, or its last member is just stopping it. */
export async function enterTogether(
  session: MemberSession,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return untilAborted(session, signal, async () => {
    try {
      await session.query('/* embedded.enter */ select pg_advisory_lock_shared($1)', [memberLock]);
      await ensureDatabase(session);
      return true;
    } catch (cause) {
      await closeSession(session);
      if (cause instanceof pg.DatabaseError && !/^(57|55P03)/.test(String(cause.code))) throw cause;
      return false;
    }
  });
}

/** Gives membership up; true when nobody else is a member, and then nobody can become one before the session closes. */
export async function leaveTogether(session: MemberSession): Promise<boolean> {
  try {
    await session.query('/* embedded.leave */ select pg_advisory_unlock_shared($1)', [memberLock]);
    return await holdAlone(session);
  } catch {
    return false; // The server is gone already.
  }
}

/** Takes the members' lock alone, if there is no member; it is held until the session closes. */
export async function holdAlone(session: MemberSession): Promise<boolean> {
  const { rows } = await session.query<{ alone: boolean }>(
    '/* embedded.last */ select pg_try_advisory_lock($1) as alone',
    [memberLock],
  );
  return rows[0]?.alone === true;
}

/** How many other sessions are members, or about to be. */
export async function countOthers(session: MemberSession): Promise<number> {
  const { rows } = await session.query<{ others: number }>(
    '/* embedded.others */ select count(*)::int as others from pg_stat_activity ' +
      'where application_name = $1 and pid <> pg_backend_pid()',
    [memberName],
  );
  return rows[0]?.others ?? 0;
}

export async function closeSession(session: MemberSession): Promise<void> {
  await session.end().catch(() => {});
}

async function ensureDatabase(session: MemberSession): Promise<void> {
  const { rowCount } = await session.query(
    '/* embedded.database */ select from pg_database where datname = $1',
    [databaseName],
  );
  if (rowCount) return;
  await session
    .query(`/* embedded.create */ create database ${databaseName}`)
    .catch((cause: { code?: string }) => {
      // Another process has created it, or is just doing so.
      if (cause.code !== '42P04' && cause.code !== '23505') throw cause;
    });
}

/** Runs `work`, ending the session, and so whatever waits for it, when the signal aborts. */
async function untilAborted<T>(
  session: MemberSession,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const stop = () => void closeSession(session);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await work();
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Marks this run of the server as one that stays up after everyone has left. */
export async function markKept(place: Place, server: Postmaster): Promise<void> {
  await writeFile(place.keep, `${server.identity}\n`);
}

export async function isKept(place: Place, server: Postmaster): Promise<boolean> {
  const marked = await readFile(place.keep, 'utf8').catch(() => '');
  return marked.trim() === server.identity;
}
