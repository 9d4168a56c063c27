import { defineJob, retryParked } from '../src/index.ts';

export default defineJob({
  name: 'retry-parked',
  summary: 'Try what is parked again, now that its customer or sale may be known.',
  run: (work) => retryParked(work),
});
