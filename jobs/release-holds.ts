import { addOutcomes, defineJob, heldOutcome, partsToRelease, releaseHolds } from '../src/index.ts';

export default defineJob({
  name: 'release-holds',
  summary: 'Release the commissions whose hold has ended, and say which are held all the same, and why.',
  async run({ context, account, runId, asOf, transaction, transactions }) {
    const parts = await partsToRelease(context.db, account.id, asOf);
    const mover = { accountId: account.id, runId, now: context.clock() };
    const released = await transactions(
      parts.map((part) => (session) => releaseHolds(session, mover, { asOf, ...part })),
    );
    return addOutcomes(released, await transaction((session) => heldOutcome(session, account.id, asOf)));
  },
});
