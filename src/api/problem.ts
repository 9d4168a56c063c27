import { STATUS_CODES } from 'node:http';
import { type ApiFault, statusOf } from './fault.ts';

/** A fault as RFC 9457 has it, in `application/problem+json`. */
export function problem(fault: ApiFault, requestId: string): Record<string, unknown> {
  const status = statusOf[fault.kind];
  return {
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail: fault.message,
    instance: requestId,
    ...(fault.details.length > 0 && { errors: fault.details }),
  };
}
