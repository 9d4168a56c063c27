import { defineJob, partsToRelease, releaseHolds } from '../src/index.ts';

export default defineJob({
  name: 'release-holds',
  summary: 'Release the commissions whose hold has ended.',
  async run({ context, account, runId, asOf, transactions }) {
    const parts = await partsToRelease(context.db, account.id, asOf);
    const mover = { accountId: account.id, runId, now: context.clock() };
    return transactions(parts.map((part) => (session) => releaseHolds(session, mover, { asOf, ...part })));
  },
});
