import type { Interface } from '../server.ts';
import { affiliates } from './affilut/affiliates.ts';
import { conversions } from './affilut/conversions.ts';
import { manualConversions } from './affilut/manual-conversions.ts';

/** affilut's REST API: https://affilut.com/guides. Amounts are cents, that is minor units. */
export const affilut: Interface = {
  kind: 'affilut',
  paths: ['/api/v1/'],
  countsApart: true,
  limit: (method) => (method === 'GET' || method === 'HEAD' ? 120 : 30),
  faultBody: (fault) => ({ error: fault.message }),
  routes(app, api) {
    affiliates(app, api);
    conversions(app, api);
    manualConversions(app, api);
  },
};
