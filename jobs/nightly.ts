import { defineJob, type StepResult } from '../src/index.ts';

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
    const report: StepResult[] = [];
    for (const step of steps) report.push(await work.step(step));
    const failed = report.filter(({ exitCode }) => exitCode !== 0 && exitCode !== 3);
    const counts = { steps: report.length, failed: failed.length };
    if (failed.length > 0) {
      const message = failed.map((step) => `${step.job}: ${step.message ?? 'failed'}`).join(' ');
      return { counts, totals: {}, report, exitCode: 1, message };
    }
    return { counts, totals: {}, report, exitCode: report.some((step) => step.exitCode === 3) ? 3 : 0 };
  },
});
