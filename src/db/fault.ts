import { PayrunError } from '../errors.ts';
import { deniedFault, type Who } from './denied.ts';
import { type DatabaseWords, sqlstateFault } from './sqlstate.ts';

/** The connection that a statement failed on, where it is known, and what would have interrupted it. */
interface Circumstances {
  who?: Who;
  signal?: AbortSignal | undefined;
}

/**
 * What a failed statement means to a person, where nobody up to the run can do anything about it: no server, no login, no
 * right, no room, interrupted. Those that may pass by themselves are `database-unreachable` and `database-exhausted`.
 * Everything else comes back as it is.
 */
export function databaseFault(cause: unknown, { who, signal }: Circumstances = {}): unknown {
  const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
  if (cause instanceof PayrunError) return cause;
  if (typeof code !== 'string')
    return /connection terminated|not queryable|timeout exceeded/i.test(String(message))
      ? unreachable(cause)
      : cause;
  if (code === '57014' && (signal === undefined || signal.aborted))
    return new PayrunError('interrupted', 'The run was interrupted.', { cause });
  if (isLost(code)) return unreachable(cause);
  if (code === '42501') return deniedFault(cause as DatabaseWords, who);
  if (/^(28|3D|53|57014)/.test(code)) return sqlstateFault(cause);
  return cause;
}

function isLost(code: string): boolean {
  return (
    /^(08|57P|25P03)/.test(code) ||
    /^(ECONN|ENOTFOUND|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/.test(code)
  );
}

function unreachable(cause: unknown): PayrunError {
  const { code, message } = cause as { code?: string; message?: string };
  return new PayrunError('database-unreachable', 'The database does not answer, or ended the connection.', {
    found: [code, message].filter(Boolean).join(': '),
    cause,
  });
}
