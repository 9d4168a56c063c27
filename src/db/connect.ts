import { setTimeout as wait } from 'node:timers/promises';
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import pg from 'pg';
import { PayrunError } from '../errors.ts';
import type { Tables } from './tables.ts';

/** Runs typed statements; on a session, on that session's one connection. */
export type Sql = Kysely<Tables>;

/** One connection, lent for the length of a callback. */
export interface Session {
  sql: Sql;
  client: pg.PoolClient;
}

export interface TransactionOptions {
  /** One snapshot for every statement (REPEATABLE READ), for reading alone: sums that must agree with each other. */
  snapshot?: boolean;
  /** Roll back instead of committing: what `--dry-run` is. */
  rollback?: boolean;
}

export interface Db {
  sql: Sql;
  /** Lends one connection outside of a transaction. */
  session<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Lends a second connection to someone who holds a session already. It comes from a pool of its own, so that those
   * who hold one session each never wait for each other's second.
   */
  aside<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Runs `work` in one transaction: committed when it returns, rolled back when it throws or is interrupted. Raises
   * `commit-unknown` when the answer to the commit is lost: then what was done may be kept, or not.
   */
  transaction<T>(work: (session: Session) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}

/**
 * Connects to the Postgres (14 or newer) at `url`. When `signal` aborts, the statement that runs is canceled, its
 * transaction rolls back, and `interrupted` is raised. Raises `database-unreachable` when no server answers.
 */
export async function connect(
  url: string,
  options: { signal?: AbortSignal; connections?: number } = {},
): Promise<Db> {
  const newPool = () =>
    new pg.Pool({
      connectionString: url,
      max: options.connections ?? 4,
      types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
      application_name: 'payrun',
      onConnect: prepareConnection,
    }).on('error', () => {});
  const pool = newPool();
  const asides = newPool();
  const sql = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const db: Db = {
    sql,
    session: (work) => lend(pool, url, options.signal, work),
    aside: (work) => lend(asides, url, options.signal, work),
    transaction: (work, how) =>
      lend(pool, url, options.signal, (session) => transact(session, options.signal, work, how)),
    // Kysely's destroy ends only a pool that it has used itself.
    close: async () => {
      if (!pool.ending) await Promise.all([pool.end(), asides.end()]);
    },
  };
  try {
    await pool.query('select 1');
  } catch (cause) {
    await pool.end();
    throw databaseFault(cause);
  }
  return db;
}

/** Zone and style are pinned, and the server notices within two seconds that a killed client is gone. */
const sessionSettings =
  "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set client_connection_check_interval = 2000; set jit = off; " +
  "set temp_buffers = '64MB'";

/** An idle connection that breaks is an event and no failure: its next statement will say so. The pool waits for this. */
function prepareConnection(client: pg.ClientBase): Promise<unknown> {
  client.on('error', () => {});
  return client.query(sessionSettings);
}

/** What a failed statement means to a person; faults that pass by themselves come back as `database-unreachable`. */
export function databaseFault(cause: unknown): unknown {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  if (cause instanceof PayrunError || typeof code !== 'string') {
    return /connection terminated|not queryable|timeout exceeded/i.test(String(message))
      ? unreachable(cause)
      : cause;
  }
  if (code === '57014') return new PayrunError('interrupted', 'The run was interrupted.', { cause });
  if (/^(08|57|53)/.test(code) || /^(ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN)/.test(code))
    return unreachable(cause);
  if (code === '28P01' || code === '28000' || code === '3D000') return unreachable(cause);
  return cause;
}

function unreachable(cause: unknown): PayrunError {
  const { code, message } = cause as { code?: string; message?: string };
  return new PayrunError('database-unreachable', 'The database does not answer, or refused the connection.', {
    found: [code, message].filter(Boolean).join(': '),
    cause,
  });
}

async function lend<T>(
  pool: pg.Pool,
  url: string,
  signal: AbortSignal | undefined,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  throwIfInterrupted(signal);
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (cause) {
    throw databaseFault(cause);
  }
  const returned = new AbortController();
  const cancel = () => void cancelStatements(url, client, returned.signal);
  signal?.addEventListener('abort', cancel, { once: true });
  let broken = false;
  try {
    throwIfInterrupted(signal);
    return await work({ sql: bind(client), client });
  } catch (cause) {
    broken = true;
    throw databaseFault(cause);
  } finally {
    signal?.removeEventListener('abort', cancel);
    returned.abort();
    client.release(broken);
  }
}

async function transact<T>(
  session: Session,
  signal: AbortSignal | undefined,
  work: (session: Session) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  await session.client.query(options.snapshot ? 'begin isolation level repeatable read' : 'begin');
  try {
    const result = await work(session);
    throwIfInterrupted(signal);
    if (options.rollback) await session.client.query('rollback');
    else await commit(session, options);
    return result;
  } catch (cause) {
    await session.client.query('rollback').catch(() => {});
    throw cause;
  }
}

async function commit(session: Session, { snapshot = false }: TransactionOptions): Promise<void> {
  try {
    await session.client.query('commit');
  } catch (cause) {
    const fault = databaseFault(cause);
    // Whoever only read in a snapshot has nothing to lose.
    if (snapshot || !(fault instanceof PayrunError) || fault.code !== 'database-unreachable') throw fault;
    throw new PayrunError('commit-unknown', 'The database was lost while it was committing.', {
      found: fault.found ?? '',
      cause: fault,
    });
  }
}

/** Whether `cause` says that the answer to a commit was lost. */
export function isCommitUnknown(cause: unknown): cause is PayrunError {
  return cause instanceof PayrunError && cause.code === 'commit-unknown';
}

/** Raises `interrupted` once the signal has been given; long loops call it between their steps. */
export function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PayrunError('interrupted', 'The run was interrupted.');
}

/** A cancel that comes between two statements is lost, so it is sent again until the session is returned. */
async function cancelStatements(url: string, client: pg.PoolClient, returned: AbortSignal): Promise<void> {
  const canceller = new pg.Client({ connectionString: url });
  canceller.on('error', () => {});
  const { processID } = client as unknown as { processID: number };
  try {
    await canceller.connect();
    while (!returned.aborted) {
      await canceller.query('select pg_cancel_backend($1)', [processID]);
      await wait(100, undefined, { signal: returned });
    }
  } catch {
    // The session was returned, or the server is gone, and the statement with it.
  } finally {
    await canceller.end().catch(() => {});
  }
}

function bind(client: pg.PoolClient): Sql {
  const connection = { query: client.query.bind(client), release() {} };
  const pool = { connect: async () => connection, end: async () => {}, options: {} };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: pool as unknown as PostgresPool }) });
}

function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === pg.types.builtins.INT8) return BigInt;
  if (oid === pg.types.builtins.DATE) return (value) => value;
  return pg.types.getTypeParser(oid, format);
}
