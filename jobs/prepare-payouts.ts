import { defineJob, preparePayouts, z } from '../src/index.ts';

export default defineJob({
  name: 'prepare-payouts',
  summary: 'Gather ready commissions into payouts, for the periods that have closed.',
  parameters: {
    prepared_by: z.string().min(1).default('payrun').describe('who prepares, for approval by two persons'),
  },
  run: (work, { prepared_by: preparedBy }) => preparePayouts(work, { preparedBy }),
});
