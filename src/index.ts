/** The public surface: what a job in `jobs/`, built in or of a user's own, may use. */
export { z } from 'zod';
export type { Session } from './db/connect.ts';
export { PayrunError } from './errors.ts';
export { importInbox, retryParked } from './imports/import.ts';
export { auditBooks } from './ledger/audit.ts';
export { partsToRelease, releaseHolds } from './ledger/release.ts';
export { exportPayouts, preparePayouts } from './payouts/payout.ts';
export { defineJob, type Job } from './runs/define-job.ts';
export { addOutcomes } from './runs/outcome.ts';
export type { Outcome, StepResult, Work } from './runs/work.ts';
