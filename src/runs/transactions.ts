import { isCommitUnknown, type Session } from '../db/connect.ts';
import { hasCommitted, nameSession, savepoint, workFenced } from './fence.ts';
import type { Run } from './new-run.ts';
import { addOutcomes } from './outcome.ts';
import { mayPass, persevere } from './retry.ts';
import type { Outcome, Part } from './work.ts';

/**
 * Does `work` in a transaction of the run, as Work.transaction says. When the answer to its commit is lost, the run's
 * own row is asked whether it is committed; raises `commit-unknown` while that can't be read either.
 */
export async function transaction<T extends Outcome>(run: Run, work: Part<T>): Promise<T> {
  const ended = Promise.withResolvers<void>();
  ended.promise.catch(() => {});
  // Those that go on at once commit one after another, so that each stores the sum of all before it.
  const turn = async () => {
    const earlier = run.committing;
    run.committing = ended.promise;
    await earlier;
    return run;
  };
  const fenced = (session: Session) => {
    const mover = { accountId: run.accountId, runId: run.id, now: nextMoment(run) };
    return workFenced(session, run, mover, turn, work);
  };
  try {
    const outcome = run.rehearsal ? await rehearsed(run.rehearsal, fenced) : await committed(run, fenced);
    run.kept = addOutcomes(run.kept, outcome);
    run.commits += 1;
    return outcome;
  } catch (cause) {
    if (isCommitUnknown(cause)) ended.reject(cause);
    throw cause;
  } finally {
    ended.resolve();
  }
}

/** The present, later than the last transaction's: what one has moved is told by its moment, also where a clock stands. */
function nextMoment({ context, moment }: Run): Date {
  moment.last = Math.max(context.clock().getTime(), moment.last + 1);
  return new Date(moment.last);
}

async function committed<T>(run: Run, fenced: (session: Session) => Promise<T>): Promise<T> {
  const { db, signal } = run.context;
  let done: { pid: number; outcome: T } | undefined;
  try {
    return await db.transaction(async (session) => {
      const pid = await nameSession(session, run);
      const outcome = await fenced(session);
      done = { pid, outcome };
      return outcome;
    });
  } catch (cause) {
    if (!isCommitUnknown(cause) || !done) throw cause;
    const asked = { pid: done.pid, commits: run.commits + 1 };
    // A connection of its own: whoever holds one of the others may be waiting for this very answer.
    const ask = () => db.aside((session) => hasCommitted(session, run, asked));
    const isKept = await persevere(ask, run.retry).catch((fault: unknown) => {
      throw mayPass(fault) || signal.aborted ? cause : fault;
    });
    if (isKept) return done.outcome;
    // As any connection that was lost: nothing is kept, and the work may be done again.
    throw cause.cause;
  }
}

/** Does the parts at once, each in a transaction of the run, as Work.transactions says. */
export async function transactions<T extends Outcome>(run: Run, parts: readonly Part<T>[]): Promise<T> {
  const outcomes: T[] = [];
  if (run.rehearsal) {
    for (const part of parts) outcomes.push(await transaction(run, part));
  } else {
    // All are waited for, also when one fails: whoever tries again must not meet those that still go on.
    for (const end of await Promise.allSettled(parts.map((part) => transaction(run, part)))) {
      if (end.status === 'rejected') throw end.reason;
      outcomes.push(end.value);
    }
  }
  return outcomes.reduce((sum, outcome) => addOutcomes(sum, outcome));
}

function rehearsed<T>(rehearsal: Session, fenced: (session: Session) => Promise<T>): Promise<T> {
  return savepoint(rehearsal, async (session) => {
    const outcome = await fenced(session);
    // Stands for the commit that `on commit drop` waits for.
    await session.client.query('discard temp');
    return outcome;
  });
}
