import { auditBooks, defineJob } from '../src/index.ts';

export default defineJob({
  name: 'audit',
  summary: 'Check that the books balance to the cent and that no reference dangles.',
  async run({ context, account }) {
    const findings = await context.db.transaction((session) => auditBooks(session, account.id), {
      snapshot: true,
    });
    const outcome = { counts: { findings: findings.length }, totals: {}, report: findings };
    if (findings.length === 0) return outcome;
    return { ...outcome, exitCode: 1, message: `The books do not add up; findings: ${findings.length}.` };
  },
});
