import { defineJob, retryParked } from '../src/index.ts';

export default defineJob({
  name: 'retry-parked',
  summary: 'Try parked events again, now that their referrals may be known.',
  run: (work) => retryParked(work),
});
