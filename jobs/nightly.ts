import {
  defineJob,
  type StepResult,
  toDoInBooks,
  toDoInImports,
  toDoInPayouts,
  type Work,
} from '../src/index.ts';

const steps = [
  'import-sales',
  'import-events',
  'retry-parked',
  'release-holds',
  'prepare-payouts',
  'export-payouts',
  'audit',
];

export default defineJob({
  name: 'nightly',
  summary: 'The whole night: import, release, pay out and audit, going on when one of them fails.',
  async run(work) {
    const done: StepResult[] = [];
    for (const step of steps) done.push(await work.step(step));
    const failed = done.filter(({ exitCode }) => exitCode !== 0 && exitCode !== 3);
    const { report } = await forAPerson(work);
    const outcome = {
      counts: { steps: done.length, failed: failed.length, for_a_person: report.for_a_person.length },
      totals: {},
      report: { steps: done, ...report },
    };
    if (failed.length > 0) {
      const message = failed.map((step) => `${step.job}: ${step.message ?? 'failed'}`).join(' ');
      return { ...outcome, exitCode: 1, message };
    }
    return { ...outcome, exitCode: done.some((step) => step.exitCode === 3) ? 3 : 0 };
  },
});

/** What waits for a person once everything else is done, whichever night left it. */
function forAPerson({ account, asOf, transaction }: Work) {
  return transaction(async (session) => {
    const for_a_person = [
      ...(await toDoInPayouts(session, account.id)),
      ...(await toDoInBooks(session, account.id, asOf)),
      ...(await toDoInImports(session, account.id)),
    ];
    return { counts: {}, totals: {}, report: { for_a_person } };
  });
}
