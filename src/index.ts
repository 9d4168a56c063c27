/** The public surface: what a job in `jobs/`, built in or of a user's own, may use. */
export { z } from 'zod';
export type { Session } from './db/connect.ts';
export { PayrunError } from './errors.ts';
export { importInbox, retryParked, toDoInImports } from './imports/import.ts';
export { auditBooks } from './ledger/audit.ts';
export { heldOutcome } from './ledger/held.ts';
export { partsToRelease, releaseHolds } from './ledger/release.ts';
export { type ToDo, toDoInBooks } from './ledger/to-do.ts';
export { exportPayouts, preparePayouts, toDoInPayouts } from './payouts/payout.ts';
export { defineJob, type Job } from './runs/define-job.ts';
export { addOutcomes } from './runs/outcome.ts';
export type { Outcome, StepResult, Work } from './runs/work.ts';
