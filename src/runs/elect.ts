import { type Db, isCommitUnknown, type Session } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';
import { showId } from '../ids.ts';
import { showInstant } from '../time.ts';
import { buryTheDead, type Dead, leaseSeconds } from './bury.ts';
import { jsonText } from './identity.ts';
import { hasCome, isLive, leaseEnd } from './lease.ts';

/** A run that wants to begin. */
export interface Candidate {
  accountId: number;
  id: string;
  job: string;
  identity: string;
  slot: Date | null;
  parentId: string | null;
  parameters: Record<string, unknown>;
  asOf: Date;
  runner: string;
  startedAt: Date;
  /** Runs of other identities may go on at the same time. */
  mayOverlap: boolean;
}

/** `buried` are the runs that were found dead. */
export type Election = { elected: true; attempt: number; buried: Dead[] } | { elected: false; runId: string };

interface Attempt {
  id: string;
  attempt: number;
  status: string;
  runner: string;
  started_at: Date;
  live: boolean;
  /** Of one without a slot null. */
  has_come: boolean | null;
}

/**
 * Inserts the row of the next attempt, which is the election: the unique key lets one candidate through. A slot
 * that is done elects nobody, unless it was done before it had come. Runs whose runner is dead are marked lost. Raises `already-running` when a live
 * runner has this identity, or another one of the same job.
 */
export async function elect(db: Db, candidate: Candidate): Promise<Election> {
  try {
    return await db.transaction((session) => electIn(session, candidate));
  } catch (cause) {
    // Whether it was elected, the next attempt finds out by its row.
    if (isCommitUnknown(cause)) throw cause.cause;
    if ((cause as { code?: unknown }).code !== '23505') throw cause;
    throw new PayrunError(
      'already-running',
      `Another runner began the job ${candidate.job} at the same moment.`,
    );
  }
}

/** Inserts the row of an attempt; `leaseUntil` is an instant of the server's clock. */
export async function insertRun(
  session: Session,
  candidate: Candidate,
  attempt: number,
  leaseUntil: Date,
): Promise<void> {
  await session.sql
    .insertInto('run')
    .values({
      account_id: candidate.accountId,
      id: candidate.id,
      job: candidate.job,
      identity: candidate.identity,
      slot: candidate.slot,
      attempt,
      parent_id: candidate.parentId,
      parameters: jsonText(candidate.parameters),
      as_of: candidate.asOf,
      status: 'running',
      lease_until: leaseUntil,
      runner: candidate.runner,
      started_at: candidate.startedAt,
    })
    .execute();
}

async function electIn(session: Session, candidate: Candidate): Promise<Election> {
  await lockAccount(session, candidate.accountId);
  const latest = await latestAttempt(session, candidate);
  // The answer to an earlier election was lost on its way here, and this one asks again.
  if (latest?.id === candidate.id) return { elected: true, attempt: latest.attempt, buried: [] };
  if (latest?.live) throw alreadyRunning(candidate.job, latest);
  if (latest?.status === 'done' && latest.has_come) return { elected: false, runId: latest.id };
  if (!candidate.mayOverlap) {
    const other = await overlapping(session, candidate);
    if (other) throw alreadyRunning(candidate.job, other);
  }
  const buried = await buryTheDead(session, {
    accountId: candidate.accountId,
    now: candidate.startedAt,
    deadRunner: latest?.status === 'running' ? latest.runner : null,
  });
  const attempt = (latest?.attempt ?? 0) + 1;
  await insertRun(session, candidate, attempt, await leaseEnd(session));
  return { elected: true, attempt, buried };
}

/**
 * Elections of one account happen one after the other, so that two identities cannot both find the job free. One whose
 * process is stopped meanwhile is ended by the server, as nobody else could elect again.
 */
async function lockAccount(session: Session, accountId: number): Promise<void> {
  await session.client.query(
    "/* runs.elect */ select set_config('idle_in_transaction_session_timeout', $1, true)",
    [`${leaseSeconds}s`],
  );
  await session.sql
    .selectFrom('account')
    .select('account_id')
    .where('account_id', '=', accountId)
    .forNoKeyUpdate()
    .execute();
}

function attempts(session: Session, candidate: Candidate) {
  return session.sql
    .selectFrom('run')
    .select(['id', 'attempt', 'status', 'runner', 'started_at', isLive.as('live'), hasCome.as('has_come')])
    .where('account_id', '=', candidate.accountId)
    .where('job', '=', candidate.job);
}

async function latestAttempt(session: Session, candidate: Candidate): Promise<Attempt | undefined> {
  return attempts(session, candidate)
    .where('identity', '=', candidate.identity)
    .orderBy('attempt', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Runs of the candidate's own runner are its parent and the steps before it; they do not stand in its way. */
async function overlapping(session: Session, candidate: Candidate): Promise<Attempt | undefined> {
  return attempts(session, candidate)
    .where('status', '=', 'running')
    .where('runner', '<>', candidate.runner)
    .where(isLive)
    .orderBy('started_at')
    .limit(1)
    .executeTakeFirst();
}

function alreadyRunning(job: string, run: Attempt): PayrunError {
  const since = showInstant(run.started_at, 'UTC');
  return new PayrunError(
    'already-running',
    `The job ${job} is running since ${since}, as ${showId('run', run.id)}.`,
  );
}
