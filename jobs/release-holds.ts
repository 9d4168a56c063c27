import { defineJob, releaseHolds } from '../src/index.ts';

export default defineJob({
  name: 'release-holds',
  summary: 'Release the commissions whose hold has ended.',
  run: (work) =>
    work.transaction((session) => {
      const mover = { accountId: work.account.id, runId: work.runId, now: work.context.clock() };
      return releaseHolds(session, mover, { asOf: work.asOf });
    }),
});
