import type { Session } from '../db/connect.ts';
import { savepoint, workFenced } from './fence.ts';
import type { Run } from './new-run.ts';
import { addOutcomes } from './outcome.ts';
import type { Outcome } from './work.ts';

type Part<T> = (session: Session) => Promise<T>;

/** Does `work` in a transaction of the run, as Work.transaction says. */
export async function transaction<T extends Outcome>(run: Run, work: Part<T>): Promise<T> {
  const ended = Promise.withResolvers<void>();
  // Those that go on at once commit one after another, so that each stores the sum of all before it.
  const turn = async () => {
    const earlier = run.committing;
    run.committing = ended.promise;
    await earlier;
    return run.kept;
  };
  const fenced = (session: Session) => workFenced(session, run, turn, work);
  try {
    const outcome = run.rehearsal
      ? await rehearsed(run.rehearsal, fenced)
      : await run.context.db.transaction(fenced);
    run.kept = addOutcomes(run.kept, outcome);
    return outcome;
  } finally {
    ended.resolve();
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

function rehearsed<T>(rehearsal: Session, fenced: Part<T>): Promise<T> {
  return savepoint(rehearsal, async (session) => {
    const outcome = await fenced(session);
    // Stands for the commit that `on commit drop` waits for.
    await session.client.query('discard temp');
    return outcome;
  });
}
