import { databaseFault } from '../db/connect.ts';
import { PayrunError } from '../errors.ts';

/** What a run raised, as a fault that Payrun knows where it is one; `interrupted` once the signal was given. */
export function faultOf(cause: unknown, signal: AbortSignal): unknown {
  const fault = databaseFault(cause);
  if (!signal.aborted || fault instanceof PayrunError) return fault;
  return new PayrunError('interrupted', 'The run was interrupted.', { cause });
}

/**
 * A fault as it may be stored and logged. The message of anything but a PayrunError may quote rows or parameters,
 * so only its kind and the place in the code are told.
 */
export function describeFault(fault: unknown): { code: string; message: string } {
  if (fault instanceof PayrunError) return { code: fault.code, message: fault.message };
  const { name, code, stack } = (fault ?? {}) as { name?: string; code?: unknown; stack?: string };
  const place = /^\s+at .*?([^\s()]+:\d+:\d+)\)?$/m.exec(stack ?? '')?.[1];
  const kind = [name ?? 'error', typeof code === 'string' ? code : ''].join(' ').trim();
  return { code: 'defect', message: `The code raised an unexpected ${kind}${place ? ` at ${place}` : ''}.` };
}
