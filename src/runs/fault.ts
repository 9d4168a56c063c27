import { databaseFault } from '../db/fault.ts';
import { sqlstateFault } from '../db/sqlstate.ts';
import { PayrunError } from '../errors.ts';
import { systemFault } from '../system-fault.ts';

/**
 * What a run or command raised, as a fault that Payrun knows where it is one: also what the database server or the
 * operating system refused; `interrupted` once the signal was given.
 */
export function faultOf(cause: unknown, signal: AbortSignal): unknown {
  const fault = systemFault(sqlstateFault(databaseFault(cause, { signal })));
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
