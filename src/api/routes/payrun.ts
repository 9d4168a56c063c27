import { problem } from '../problem.ts';
import type { Interface } from '../server.ts';
import { lists } from './payrun/lists.ts';
import { uploads } from './payrun/uploads.ts';

/** Payrun's own interface: what the command line shows, as JSON. Amounts are exact decimals in text. */
export const payrun: Interface = {
  kind: 'payrun',
  paths: ['/payrun/'],
  countsApart: false,
  limit: () => 600,
  faultType: 'application/problem+json',
  faultBody: (fault, request) => problem(fault, request.id),
  routes(app, api) {
    lists(app, api);
    uploads(app, api);
  },
};
