import { setTimeout as wait } from 'node:timers/promises';
import { databaseFault } from '../db/fault.ts';
import { PayrunError } from '../errors.ts';

/** Waits that many milliseconds; raises `interrupted` when the signal is given. Tests pass their own. */
export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;

/** The pauses between one attempt and the next; there is one attempt more than there are pauses. */
const pauses = [1_000, 4_000, 16_000];

export interface RetryOptions {
  signal: AbortSignal;
  pause?: Pause | undefined;
  /** Told before each pause, with the attempt (from 1) that failed. */
  onRetry(attempt: number, milliseconds: number, fault: unknown): void;
}

/**
 * Runs `work`, and runs it again after growing pauses while what it raises is a fault that may pass by itself.
 * Raises what the last attempt raised; never tries again for bad data, or once the signal is given.
 */
export async function persevere<T>(
  work: (attempt: number) => Promise<T>,
  { signal, pause = sleep, onRetry }: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (cause) {
      const fault = databaseFault(cause);
      const milliseconds = pauses[attempt - 1];
      if (milliseconds === undefined || signal.aborted || !mayPass(fault)) throw fault;
      onRetry(attempt, milliseconds, fault);
      await pause(milliseconds, signal);
    }
  }
}

/** Whether a fault passes by itself: a lost connection, SQLSTATE classes 08, 53 and 57, 40001 and 40P01. */
export function mayPass(fault: unknown): boolean {
  if (fault instanceof PayrunError)
    return fault.code === 'database-unreachable' || fault.code === 'database-exhausted';
  const { code } = (fault ?? {}) as { code?: unknown };
  return code === '40001' || code === '40P01';
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(milliseconds, undefined, { signal });
  } catch (cause) {
    throw new PayrunError('interrupted', 'The run was interrupted.', { cause });
  }
}
