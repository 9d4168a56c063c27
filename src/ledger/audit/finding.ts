/** One thing that does not add up, in words. */
export interface AuditFinding {
  check: 'journal' | 'payout' | 'reversal' | 'reference';
  message: string;
}
