import type { Session } from '../../db/connect.ts';
import type { ProgramRow } from '../../db/tables.ts';

/** What `record` needs to know of the programme that a batch of sales belongs to, read once an import. */
export interface ProgramTerms extends ProgramRow {
  /** Whether it has incentives at all, and whether any of them ends with a duration. */
  hasIncentives: boolean;
  hasDurations: boolean;
}

/** One batch of staged sales: those of `stage`, for one programme. */
export interface Batch {
  program: ProgramTerms;
  importId: string;
  /** Whether any row names a customer, so that referrals matter. */
  hasCustomers: boolean;
  /**
   * Set for lines of an event log: a line whose referral is unknown is parked there, not rejected. `parked` when the
   * lines are the parked ones themselves, tried again.
   */
  log?: 'new' | 'parked';
  /** A row that names no affiliate and no customer who is known is left out, not rejected. */
  ignoresUnattributed?: boolean;
  /** A few rows, alone in their transaction: they are looked up one by one, and their stage empties itself. */
  few?: boolean;
  /** A row without products says nothing of them, rather than that there were none. */
  mayOmitProducts?: boolean;
  /** Rows say how much of their sale is refunded, and `refund_stage` is there for those that say less than is known. */
  hasTotals?: boolean;
}

/**
 * What statements over a batch run under, until the transaction or savepoint ends: the programme's zone, and no nested
 * loops. One that the planner takes for cheap, because it knows nothing of rows staged a moment ago, would never end;
 * what looks single rows up in large tables says so by LATERAL.
 */
export function batchSettings(session: Session, batch: Batch): string {
  const zone = session.client.escapeLiteral(batch.program.timezone);
  return `set local timezone = ${zone}${batch.few ? '' : '; set local enable_nestloop = off'}`;
}

/** How many rows of a batch ended one way. */
export interface Verdict {
  verdict: string;
  rows: number;
}

/** Of these, `others` name another affiliate than their customer's, the first of them in `firstLine`. */
export interface Judged extends Verdict {
  others: number;
  firstLine: number;
}
