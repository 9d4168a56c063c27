import { z } from 'zod';
import { showId } from '../ids.ts';
import type { RunRecord } from './history.ts';

const instant = z.date();

/** A run as programs read it: by --json, by the API and in reports. */
export const runView = z.object({
  run: z.string(),
  job: z.string(),
  status: z.enum(['running', 'done', 'failed', 'interrupted', 'lost']),
  attempt: z.number(),
  slot: instant.nullable(),
  as_of: instant,
  parameters: z.record(z.string(), z.unknown()),
  started_at: instant,
  finished_at: instant.nullable(),
  last_heard_at: instant.nullable(),
  counts: z.record(z.string(), z.number()).nullable(),
  totals: z.record(z.string(), z.record(z.string(), z.string())).nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});

export function viewRun(run: RunRecord): z.infer<typeof runView> {
  return {
    run: showId('run', run.id),
    job: run.job,
    status: statusOf(run),
    attempt: run.attempt,
    slot: run.slot,
    as_of: run.as_of,
    parameters: run.parameters,
    started_at: run.started_at,
    finished_at: run.finished_at,
    last_heard_at: run.status === 'running' || run.status === 'lost' ? run.last_heard_at : null,
    counts: run.counts,
    totals: run.totals,
    error: run.error,
  };
}

/** A run that says it is running, but whose runner is gone, has died; the next run will note that, and may begin at once. */
export function statusOf(run: RunRecord): RunRecord['status'] {
  return run.status === 'running' && !run.live ? 'lost' : run.status;
}
