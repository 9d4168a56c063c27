import type { ApiFaultKind } from '../fault.ts';
import type { Interface } from '../server.ts';
import { businesses } from './entries/businesses.ts';
import { configs } from './entries/configs.ts';
import { contacts } from './entries/contacts.ts';
import { listEntries } from './entries/list-entries.ts';
import { makeEntries } from './entries/make-entries.ts';

/**
 * Cortana's conversion entries, and the calls that its clients make before they send one: https://help.usecortana.ai. The
 * account is their business, its programmes are their conversion configs. Amounts are numbers in major units, read and
 * written exactly.
 */
export const entries: Interface = {
  kind: 'entries',
  paths: ['/api/v1/businesses'],
  countsApart: false,
  limit: () => 60,
  faultBody: ({ kind, message }) => ({ error: { code: codes[kind], message } }),
  routes(app, api) {
    businesses(app, api);
    configs(app, api);
    contacts(app, api);
    makeEntries(app, api);
    listEntries(app, api);
  },
};

const codes: Record<ApiFaultKind, string> = {
  invalid: 'VALIDATION_ERROR',
  'too-large': 'VALIDATION_ERROR',
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  'not-found': 'NOT_FOUND',
  duplicate: 'CONFLICT',
  conflict: 'CONFLICT',
  'too-many': 'RATE_LIMIT_EXCEEDED',
  busy: 'SERVICE_UNAVAILABLE',
  failed: 'INTERNAL_ERROR',
};
