import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { PayrunError } from '../errors.ts';
import { cancelStatements } from './cancel.ts';
import type { Who } from './denied.ts';
import { databaseFault } from './fault.ts';
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

/** Where the server is at this moment, where that may change. */
export type Address = () => Promise<string>;

/**
 * Connects to the Postgres (14 or newer) at `address`, which is asked for before each new connection. When `signal`
 * aborts, the statement that runs is canceled, its transaction rolls back, and `interrupted` is raised. Raises
 * `database-unreachable` when no server answers.
 */
export async function connect(
  address: string | Address,
  options: { signal?: AbortSignal; connections?: number } = {},
): Promise<Db> {
  const { connections = 4, signal } = options;
  const source: Source = { address: typeof address === 'string' ? async () => address : address, signal };
  const pool = newPool(connections);
  const asides = newPool(connections);
  const db: Db = {
    sql: sqlOf(async () => watched(await take(pool, source.address), signal)),
    session: (work) => lend(pool, source, work),
    aside: (work) => lend(asides, source, work),
    transaction: (work, how) => lend(pool, source, (session) => transact(session, signal, work, how)),
    // Kysely's destroy ends only a pool that it has used itself.
    close: async () => {
      if (!pool.ending) await Promise.all([pool.end(), asides.end()]);
    },
  };
  try {
    await db.session(({ client }) => client.query('select 1'));
  } catch (cause) {
    await db.close();
    throw cause;
  }
  return db;
}

function newPool(connections: number): pg.Pool {
  return new pg.Pool({
    max: connections,
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
    application_name: 'payrun',
    onConnect: prepareConnection,
  }).on('error', () => {});
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

/** Where connections come from, and what interrupts their work. */
interface Source {
  address: Address;
  signal: AbortSignal | undefined;
}

async function take(pool: pg.Pool, address: Address): Promise<pg.PoolClient> {
  const url = await address();
  pool.options.connectionString = url;
  try {
    return await pool.connect();
  } catch (cause) {
    throw databaseFault(cause, { who: whoIn(url) });
  }
}

function whoIn(url: string): Who {
  const { username, pathname } = new URL(url);
  return { user: decodeURIComponent(username), database: decodeURIComponent(pathname.slice(1)) };
}

async function lend<T>(pool: pg.Pool, source: Source, work: (session: Session) => Promise<T>): Promise<T> {
  const { address, signal } = source;
  throwIfInterrupted(signal);
  const client = await take(pool, address);
  const returned = new AbortController();
  const cancel = () => void cancelStatements(pool.options.connectionString, client, returned.signal);
  signal?.addEventListener('abort', cancel, { once: true });
  let broken = false;
  try {
    throwIfInterrupted(signal);
    return await work({ sql: bind(client), client });
  } catch (cause) {
    broken = true;
    throw databaseFault(cause, { who: client, signal });
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

function bind(client: pg.PoolClient): Sql {
  const connection = { query: client.query.bind(client), release() {} };
  return sqlOf(async () => connection as unknown as PostgresPoolClient);
}

/** A connection on which each statement that fails says what that means. */
function watched(client: pg.PoolClient, signal: AbortSignal | undefined): PostgresPoolClient {
  const query = async (text: string, values: unknown[]) => {
    try {
      return await client.query(text, values);
    } catch (cause) {
      throw databaseFault(cause, { who: client, signal });
    }
  };
  return { query, release: (broken?: boolean) => client.release(broken) } as unknown as PostgresPoolClient;
}

function sqlOf(connection: () => Promise<PostgresPoolClient>): Sql {
  const pool: PostgresPool = { connect: connection, end: async () => {}, options: {} };
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === pg.types.builtins.INT8) return BigInt;
  if (oid === pg.types.builtins.DATE) return (value) => value;
  return pg.types.getTypeParser(oid, format);
}
