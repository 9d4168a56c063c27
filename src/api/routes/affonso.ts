import type { ApiFault, ApiFaultKind } from '../fault.ts';
import type { Interface } from '../server.ts';
import { commissions } from './affonso/commissions.ts';
import { events } from './affonso/events.ts';
import { people } from './affonso/people.ts';
import { referrals } from './affonso/referrals.ts';
import { refunds } from './affonso/refunds.ts';

/**
 * Affonso's REST API: https://docs.affonso.io. Amounts are numbers in major units, read and written exactly; what a sale
 * and its commission come to is what remains after refunds.
 */
export const affonso: Interface = {
  kind: 'affonso',
  paths: ['/v1/'],
  countsApart: false,
  limit(_, known) {
    const ours = known?.account.sources.filter((one) => one.kind === 'api') ?? [];
    const { source_id: id, source_ref: ref } = known?.client.key ?? { source_id: null };
    const source = id === null && ours.length === 1 ? ours[0] : ours.find((one) => one.ref === ref);
    return source?.requests_per_minute ?? 300;
  },
  faultBody: (fault) => ({ success: false, error: errorOf(fault) }),
  routes(app, api) {
    events(app, api);
    refunds(app, api);
    referrals(app, api);
    commissions(app, api);
    people(app, api);
  },
};

const codes: Record<ApiFaultKind, string> = {
  invalid: 'VALIDATION_ERROR',
  'too-large': 'VALIDATION_ERROR',
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  'not-found': 'NOT_FOUND',
  duplicate: 'DUPLICATE_ERROR',
  conflict: 'DUPLICATE_ERROR',
  'too-many': 'RATE_LIMIT_EXCEEDED',
  busy: 'SERVICE_UNAVAILABLE',
  failed: 'INTERNAL_ERROR',
};

function errorOf({ kind, message, details, retryAfter }: ApiFault) {
  return {
    code: codes[kind],
    message,
    ...(codes[kind] === 'DUPLICATE_ERROR' && details[0] && { field: details[0].field }),
    ...(codes[kind] === 'VALIDATION_ERROR' && { details }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
}
