import { sql } from 'kysely';
import type { Session } from '../db/connect.ts';
import { showId } from '../ids.ts';
import type { Log } from '../log.ts';

/** How long a runner may be silent before it counts as dead. */
export const leaseSeconds = 60;

/** The name of the session that a run, with all its steps, keeps open while it lives. */
export function runnerOf(runId: string): string {
  return `payrun run ${runId}`;
}

/** The name of the sessions of a dry run, which has no row: its sign of life is that one of them does something. */
export function rehearserOf(runId: string): string {
  return `payrun rehearsal ${runId}`;
}

/** The name of a session while it does the work of that runner, so that its locks can be ended with it. */
export function workSessionOf(runner: string): string {
  return runner.replace('payrun run', 'payrun work');
}

/** A run whose runner has died, and what its transactions had committed by then. */
export interface Dead {
  id: string;
  job: string;
  runner: string;
  counts: Record<string, number> | null;
}

/**
 * Marks as lost every run of the account whose lease has ended, and those of `deadRunner`, and returns them; `now` is
 * when they are found. Their sessions are ended as well, and those of dry runs that were silent for `patience` seconds: a
 * runner that is only paused may hold locks that others would wait for without end.
 */
export async function buryTheDead(
  session: Session,
  {
    accountId,
    now,
    deadRunner = null,
    patience = leaseSeconds,
  }: { accountId: number; now: Date; deadRunner?: string | null; patience?: number },
): Promise<Dead[]> {
  const dead = await session.sql
    .selectFrom('run')
    .select(['id', 'job', 'runner', 'counts'])
    .where('account_id', '=', accountId)
    .where('status', '=', 'running')
    .where((row) => row.or([row('runner', '=', deadRunner), sql<boolean>`lease_until <= clock_timestamp()`]))
    .execute();
  const names = dead.flatMap(({ runner }) => [runner, workSessionOf(runner)]);
  await session.client.query(
    `/* runs.end_sessions */ select pg_terminate_backend(pid) from (
       select pid, application_name, application_name like 'payrun rehearsal %' as is_rehearsal,
         max(greatest(query_start, state_change)) over (partition by application_name) as heard
       from pg_stat_activity where datname = current_database() and usename = current_user) as session
     where application_name = any($1)
       or is_rehearsal and heard <= clock_timestamp() - make_interval(secs => $2)`,
    [names, patience],
  );
  if (dead.length === 0) return [];
  await session.sql
    .updateTable('run')
    .set({ status: 'lost', finished_at: now })
    .where('account_id', '=', accountId)
    .where('status', '=', 'running')
    .where(
      'id',
      'in',
      dead.map(({ id }) => id),
    )
    .execute();
  return dead;
}

/** Says of each run what it had done when it broke off: whoever starts it again finds that done already. */
export function mourn(log: Log, dead: Dead[]): void {
  for (const { id, job, counts } of dead) {
    const kept = Object.entries(counts ?? {}).filter(([, count]) => count > 0);
    if (kept.length === 0) continue;
    const told = kept.map(([name, count]) => `${count} ${name.replaceAll('_', ' ')}`).join(', ');
    log.warning({
      message: `a run of ${job} broke off after it had kept this: ${told}; payrun runs show ${showId('run', id)}`,
    });
  }
}
