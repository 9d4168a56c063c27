import { addOutcomes, defineJob, heldOutcome, partsToRelease, releaseHolds } from '../src/index.ts';

export default defineJob({
  name: 'release-holds',
  summary: 'Release the commissions whose hold has ended, and say which are held all the same, and why.',
  async run({ context, account, asOf, transaction, transactions }) {
    const parts = await partsToRelease(context.db, account.id, asOf);
    const released = await transactions(
      parts.map((part) => (session, mover) => releaseHolds(session, mover, { asOf, ...part })),
    );
    return addOutcomes(released, await transaction((session) => heldOutcome(session, account.id, asOf)));
  },
});
