import { defineJob, preparePayouts, z } from '../src/index.ts';

export default defineJob({
  name: 'prepare-payouts',
  summary: 'Gather ready commissions into payouts, for the periods that have closed.',
  parameters: {
    prepared_by: z.string().min(1).default('payrun').describe('who prepares, for approval by two persons'),
    payees: z
      .object({ affiliate: z.string(), after: z.string(), limit: z.number().int().min(1) })
      .partial()
      .optional()
      .describe('which payouts the report lists; the first by name when left out'),
  },
  run: (work, { prepared_by: preparedBy, payees }) => preparePayouts(work, { preparedBy, payees }),
});
