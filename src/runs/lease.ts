import { sql } from 'kysely';
import type { Db, Session } from '../db/connect.ts';
import { databaseFault } from '../db/fault.ts';
import { PayrunError } from '../errors.ts';

const leaseSeconds = 60;
const heartbeatMilliseconds = 10_000;

/**
 * Whether a row of `run` has a runner that lives: its lease has not ended by the server's clock, and the session
 * that its runner keeps open is there. So a killed runner is known at once, and a paused one when its lease ends.
 */
export const isLive = sql<boolean>`(run.status = 'running' and run.lease_until > clock_timestamp() and exists (
  select from pg_stat_activity as session
  where session.datname = current_database() and session.application_name = run.runner))`;

/** Of a row of `run` that runs or has run: whether its lease has ended, and when its runner was heard of last. */
export const isLeaseOver = sql<boolean>`(run.lease_until <= clock_timestamp())`;
export const lastHeardAt = sql<Date>`(run.lease_until - make_interval(secs => ${sql.lit(leaseSeconds)}))`;

/** The name of the session that a run, with all its steps, keeps open while it lives. */
export function runnerOf(runId: string): string {
  return `payrun run ${runId}`;
}

/** The name of a session while it does the work of that runner, so that its locks can be ended with it. */
export function workSessionOf(runner: string): string {
  return runner.replace('payrun run', 'payrun work');
}

/** When a lease that begins now ends, by the server's clock, the only one that all runners share. */
export async function leaseEnd(session: Session): Promise<Date> {
  const clock = await session.client.query<{ lease_end: Date }>(
    '/* runs.lease_end */ select clock_timestamp() + make_interval(secs => $1) as lease_end',
    [leaseSeconds],
  );
  return clock.rows[0]!.lease_end;
}

/** The sign of life of one runner. */
export interface Lease {
  /** Opens the runner's session if it is not open. Raises `database-unreachable`. */
  open(): Promise<void>;
  /** Opens the session if need be and puts the lease's end off. Raises `lease-lost` when the run is no longer ours. */
  renew(): Promise<void>;
}

/** Lends a lease for the length of `work`, renewed every ten seconds meanwhile. */
export async function withLease<T>(
  db: Db,
  accountId: number,
  runner: string,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const keeper = new SessionKeeper(db, runner);
  const lease: Lease = {
    open: async () => void (await keeper.session()),
    renew: () => keeper.use((session) => renew(session, accountId, runner)),
  };
  // A beat that fails is no reason to stop: the next one opens a new session, and the fence guards every commit.
  const heart = setInterval(() => void lease.renew().catch(() => {}), heartbeatMilliseconds);
  heart.unref();
  try {
    return await work(lease);
  } finally {
    clearInterval(heart);
    await keeper.close();
  }
}

async function renew(session: Session, accountId: number, runner: string): Promise<void> {
  const renewed = await session.client.query(
    `/* runs.renew */ update run set lease_until = $3 where account_id = $1 and runner = $2 and status = 'running'`,
    [accountId, runner, await leaseEnd(session)],
  );
  if (renewed.rowCount === 0) {
    throw new PayrunError('lease-lost', 'Another runner has taken this run over.');
  }
}

interface Held {
  session: Session;
  release(): void;
  returned: Promise<void>;
}

/** Keeps one session of the pool under the runner's name, and takes another when that one breaks. */
class SessionKeeper {
  readonly #db: Db;
  readonly #runner: string;
  #held: Promise<Held> | undefined;

  constructor(db: Db, runner: string) {
    this.#db = db;
    this.#runner = runner;
  }

  async session(): Promise<Session> {
    this.#held ??= this.#take();
    try {
      return (await this.#held).session;
    } catch (cause) {
      this.#held = undefined;
      throw cause;
    }
  }

  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.session();
    try {
      return await work(session);
    } catch (cause) {
      const fault = databaseFault(cause);
      if (fault instanceof PayrunError && fault.code === 'database-unreachable') await this.close();
      throw fault;
    }
  }

  async close(): Promise<void> {
    const held = await this.#held?.catch(() => undefined);
    this.#held = undefined;
    held?.release();
    await held?.returned;
  }

  /** The pool lends through a callback; this one returns when `release` is called. */
  #take(): Promise<Held> {
    return new Promise((resolve, reject) => {
      const lent = this.#db.session(async (session) => {
        await session.client.query("/* runs.lease */ select set_config('application_name', $1, false)", [
          this.#runner,
        ]);
        await new Promise<void>((release) => {
          resolve({ session, release, returned: lent.catch(() => {}) });
        });
        await session.client.query('reset application_name');
      });
      lent.catch(reject);
    });
  }
}
