import { defineJob, exportPayouts } from '../src/index.ts';

export default defineJob({
  name: 'export-payouts',
  summary: 'Write the files of the payout batches that are approved, or need no approval.',
  run: (work) => exportPayouts(work, {}),
});
