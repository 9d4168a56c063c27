import { sql } from 'kysely';
import type { Context } from '../context.ts';
import type { Db, Session } from '../db/connect.ts';
import { databaseFault } from '../db/fault.ts';
import { PayrunError } from '../errors.ts';
import { buryTheDead, leaseSeconds, mourn } from './bury.ts';

const heartbeatMilliseconds = 10_000;

/**
 * Whether a row of `run` has a runner that lives: its lease has not ended by the server's clock, and the session
 * that its runner keeps open is there. So a killed runner is known at once, and a paused one when its lease ends.
 */
export const isLive = sql<boolean>`(run.status = 'running' and run.lease_until > clock_timestamp() and exists (
  select from pg_stat_activity as session
  where session.datname = current_database() and session.application_name = run.runner))`;

/**
 * Whether the slot of a row of `run` had come when its runner was last heard of, and has come now, by the server's clock:
 * one that was run by a clock ahead of it does not count as done.
 */
export const hasCome = sql<boolean>`(run.slot <= least(run.lease_until, clock_timestamp()))`;

/** Of a row of `run` that runs or has run: whether its lease has ended, and when its runner was heard of last. */
export const isLeaseOver = sql<boolean>`(run.lease_until <= clock_timestamp())`;
export const lastHeardAt = sql<Date>`(run.lease_until - make_interval(secs => ${sql.lit(leaseSeconds)}))`;

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

/** Whose sign of life it is. */
interface Living {
  accountId: number;
  runner: string;
}

/**
 * Lends a lease for the length of `work`, renewed every ten seconds meanwhile. Each beat buries the dead of the account
 * as well, so that the work never waits without end for what one of them holds.
 */
export async function withLease<T>(
  context: Pick<Context<Db>, 'db' | 'clock' | 'log'>,
  living: Living,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  let until: Date | undefined;
  return withHeart(context, living, work, async (session) => {
    const before = until;
    until = await renew(session, living);
    // Whoever was paused itself gives those that were paused with it the time to say that they live.
    return before === undefined || until.getTime() - before.getTime() < leaseSeconds * 1000;
  });
}

/** The like for a dry run, which has no row to renew: that its session does something is its sign of life. */
export async function withSignOfLife<T>(
  context: Pick<Context<Db>, 'db' | 'clock' | 'log'>,
  living: Living,
  work: () => Promise<T>,
): Promise<T> {
  return withHeart(
    context,
    living,
    async (lease) => {
      await lease.open();
      return work();
    },
    async () => true,
  );
}

/** Keeps a session open during `work`, on which `beat` is done every ten seconds; it says whether to bury the dead. */
async function withHeart<T>(
  { db, clock, log }: Pick<Context<Db>, 'db' | 'clock' | 'log'>,
  { accountId, runner }: Living,
  work: (lease: Lease) => Promise<T>,
  beat: (session: Session) => Promise<boolean>,
): Promise<T> {
  const keeper = new SessionKeeper(db, runner);
  const lease: Lease = {
    open: async () => void (await keeper.session()),
    renew: () =>
      keeper.use(async (session) => {
        if (await beat(session)) mourn(log, await buryTheDead(session, { accountId, now: clock() }));
      }),
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

/** Returns when the lease ends now. */
async function renew(session: Session, { accountId, runner }: Living): Promise<Date> {
  const until = await leaseEnd(session);
  const renewed = await session.client.query(
    `/* runs.renew */ update run set lease_until = $3 where account_id = $1 and runner = $2 and status = 'running'`,
    [accountId, runner, until],
  );
  if (renewed.rowCount === 0) {
    throw new PayrunError('lease-lost', 'Another runner has taken this run over.');
  }
  return until;
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
