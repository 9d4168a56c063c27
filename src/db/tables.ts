import type { ColumnType, Generated } from 'kysely';

/**
 * Every row type of the database on one page; `migrations/` holds the same in SQL, with the reasons.
 * bigint columns are bigint, timestamps Date, dates `YYYY-MM-DD` text; ids are UUIDs in lower case.
 */
export interface Tables {
  account: AccountRow;
  program: ProgramRow;
  incentive: IncentiveRow;
  source: SourceRow;
  affiliate: AffiliateRow;
  affiliate_key: AffiliateKeyRow;
  referral: ReferralRow;
  run: RunRow;
  import: ImportRow;
  conversion: ConversionRow;
  commission: CommissionRow;
  posting: PostingRow;
  api_key: ApiKeyRow;
  request_count: RequestCountRow;
  conflict: ConflictRow;
  event: EventRow;
  parked_event: ParkedEventRow;
  payout_batch: PayoutBatchRow;
  payout: PayoutRow;
  left_out: LeftOutRow;
  refund: RefundRow;
  parked_refund: ParkedRefundRow;
  dispute: DisputeRow;
  parked_dispute: ParkedDisputeRow;
  adjustment: AdjustmentRow;
  correction: CorrectionRow;
  contact: ContactRow;
  request_source: RequestSourceRow;
  conversion_entry: ConversionEntryRow;
}

export type AffiliateStatus = 'pending' | 'active' | 'paused' | 'banned';
export type PayoutMethod = 'paypal' | 'wise' | 'sepa' | 'ach' | 'manual';
export type ReferralStatus = 'lead' | 'trialing' | 'customer' | 'active' | 'canceled' | 'rejected';
export type SalesStatus = 'open' | 'complete' | 'trialing' | 'failed' | 'refunded' | 'partial_refunded';
export type CommissionStatus =
  | 'pending'
  | 'pending_manual_approval'
  | 'ready_for_payment'
  | 'paid'
  | 'declined';
export type LedgerAccount = 'earned' | 'pending' | 'awaiting' | 'ready' | 'in_payout' | 'paid' | 'declined';
export type Movement =
  | 'record'
  | 'release'
  | 'await'
  | 'approve'
  | 'decline'
  | 'restore'
  | 'claim'
  | 'unclaim'
  | 'pay'
  | 'carry'
  | 'return';
export type RunStatus = 'running' | 'done' | 'failed' | 'interrupted' | 'lost';
export type BatchStatus = 'draft' | 'approved' | 'exported' | 'settled' | 'canceled';
export type PayoutStatus = 'draft' | 'approved' | 'exported' | 'paid' | 'failed' | 'returned' | 'canceled';
export type LeftOutReason =
  | 'not_positive'
  | 'under_minimum'
  | 'no_destination'
  | 'banned'
  | 'paused'
  | 'pending'
  | 'under_one_unit'
  | 'currency_not_carried';
export type DisputeStatus = 'open' | 'won' | 'lost' | 'withdrawn';
export type DisputeState = 'opened' | 'won' | 'lost';
export type Rounding = 'half_up' | 'half_even';
export type Period = 'week' | 'half_month' | 'month';

/** A jsonb column: read as a value, written as JSON text. */
type Json<T> = ColumnType<T, string, string>;

export interface AccountRow {
  account_id: ColumnType<number, never, never>;
  id: string;
  ref: string;
  name: string;
}

export interface ProgramRow {
  account_id: number;
  id: string;
  ref: string;
  name: string;
  currency: string;
  timezone: string;
  hold_days: number;
  rate_ppm: number | null;
  fixed_amount: bigint | null;
  rounding: Rounding;
  minimum_payout: bigint;
  payout_every: Period;
  payout_net_days: number;
  commission_approval: 'automatic' | 'manual';
  payout_approval: 'automatic' | 'manual' | 'two_persons';
  retired: boolean;
}

export interface IncentiveRow {
  account_id: number;
  id: string;
  program_id: string;
  ref: string;
  rate_ppm: number | null;
  fixed_amount: bigint | null;
  product_ids: string[] | null;
  price_ids: string[] | null;
  interval: 'monthly' | 'yearly' | null;
  subscription_only: boolean;
  hold_days: number | null;
  duration_months: number | null;
  duration_payments: number | null;
  priority: number;
  retired: boolean;
}

export interface SourceRow {
  account_id: number;
  id: string;
  program_id: string;
  ref: string;
  kind: 'sales_csv' | 'affonso_events' | 'stripe_events' | 'api';
  settings: Json<unknown>;
  retired: boolean;
}

export interface AffiliateRow {
  account_id: number;
  id: string;
  ref: string;
  name: string;
  email: string | null;
  short_code: string | null;
  status: AffiliateStatus;
  override_ppm: number | null;
  payout_method: PayoutMethod | null;
  payout_destination: string | null;
  created_at: Date;
  updated_at: Date;
}

export interface AffiliateKeyRow {
  account_id: number;
  folded: string;
  exact: string;
  affiliate_id: string;
}

export interface ReferralRow {
  account_id: number;
  id: string;
  program_id: string;
  affiliate_id: string;
  ref: string | null;
  customer_id: string | null;
  external_user_id: string | null;
  click_id: string | null;
  email: string | null;
  email_folded: string | null;
  status: ReferralStatus;
  created_at: Date;
  converted_at: Date | null;
}

export interface RunRow {
  account_id: number;
  id: string;
  job: string;
  identity: string;
  slot: Date | null;
  attempt: number;
  parent_id: string | null;
  parameters: Json<Record<string, unknown>>;
  as_of: Date;
  status: RunStatus;
  lease_until: Date;
  runner: string;
  started_at: Date;
  finished_at: Date | null;
  counts: Json<Record<string, number>> | null;
  totals: Json<Record<string, Record<string, string>>> | null;
  report: Json<unknown> | null;
  error: Json<{ code: string; message: string }> | null;
  /** How many of its transactions are committed; counts, totals and report are of these. */
  commits: Generated<number>;
}

export type ApiKeyKind = 'affonso' | 'affilut' | 'entries' | 'payrun';

/** A key of the API; its text is nowhere, only the hash of it. */
export interface ApiKeyRow {
  account_id: number;
  id: string;
  name: string;
  kind: ApiKeyKind;
  scopes: string[];
  /** The source whose settings count for what it brings; null where the account has one. */
  source_id: string | null;
  hash: Buffer;
  /** Sealed by the workspace's key; null where requests need no signature. */
  signing_secret: Buffer | null;
  created_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

/** How many requests of one class a key has made in its latest minute. */
export interface RequestCountRow {
  account_id: number;
  key_id: string;
  class: string;
  minute: Date;
  used: number;
}

export interface ImportRow {
  account_id: number;
  id: string;
  run_id: string;
  source_id: string | null;
  kind: 'affiliates' | 'referrals' | 'sales' | 'events' | 'api';
  file: string;
  sha256: string;
  rows: number;
  counts: Json<Record<string, number>>;
  totals: Json<Record<string, Record<string, string>>>;
  rejects_file: string | null;
  finished_at: Date;
  rejects_of: string | null;
  report: Json<StoredReport> | null;
  /** Null unless the import was undone. */
  undone_at: Date | null;
  undone_by: string | null;
  undone_reason: string | null;
  undone_run_id: string | null;
}

/** What an import told besides its counts and totals; `rejected_groups` as its report has them. */
export interface StoredReport {
  warnings: string[];
  changes: string[];
  rejected_groups: { code: string; field: string; rows: number; first_line: number; message: string }[];
  /** What showed how columns are written, so that its rejects are read the same; not in the first versions. */
  styles?: { field: string; style: string; line: number; value: string }[];
}

export interface ConversionRow {
  account_id: number;
  id: string;
  program_id: string;
  external_id: string;
  affiliate_id: string;
  referral_id: string | null;
  amount: bigint;
  occurred_at: Date;
  fingerprint: Buffer;
  import_id: string;
  line: number;
  occurred_at_given: boolean;
  is_subscription: boolean | null;
  currency: string;
  sales_status: SalesStatus;
  interval: string | null;
  customer_id: string | null;
  customer_email: string | null;
  product_ids: string[] | null;
  price_ids: string[] | null;
  expense: bigint | null;
  note: string | null;
  metadata: Json<Record<string, unknown>> | null;
  no_commission_reason: string | null;
  /** Why the sale counts no more; null while it counts. */
  taken_back: string | null;
}

export interface CommissionRow {
  account_id: number;
  id: string;
  program_id: string;
  affiliate_id: string;
  amount: bigint;
  hold_until: Date;
  status_at: Date;
  status_run_id: string;
  payout_id: string | null;
  incentive_id: string | null;
  rate_ppm: number | null;
  hold_days: number;
  overridden: boolean;
  currency: string;
  status: CommissionStatus;
  rounding: Rounding;
  reason: string | null;
  fx_rate: string | null;
  fx_day: string | null;
  fx_source: string | null;
  /** The commission that this one takes back. */
  reverses: string | null;
}

export interface PostingRow {
  account_id: number;
  id: string;
  run_id: string;
  affiliate_id: string;
  currency: string;
  movement: Movement;
  from_account: LedgerAccount;
  to_account: LedgerAccount;
  amount: bigint;
  lines: number;
  posted_at: Date;
}

export interface ConflictRow {
  account_id: number;
  id: string;
  conversion_id: string;
  import_id: string;
  line: number;
  /** Later lines of the same file that said the same. */
  further_lines: Generated<number[]>;
  external_id: string;
  fingerprint: Buffer;
  sales_status: SalesStatus;
  difference: Json<Record<string, { ours: string | null; theirs: string | null }>>;
  status: 'open' | 'kept' | 'accepted' | 'withdrawn';
  about: Generated<'sale' | 'refund' | 'dispute'>;
  /** From here to fx_source, what the row that came again said; null in conflicts of the first versions. */
  found_at: Date | null;
  affiliate_id: string | null;
  amount: bigint | null;
  currency: string | null;
  occurred_at: Date | null;
  occurred_at_given: boolean | null;
  product_ids: string[] | null;
  price_ids: string[] | null;
  interval: string | null;
  is_subscription: boolean | null;
  fx_rate: string | null;
  fx_day: string | null;
  fx_source: string | null;
  decided_at: Date | null;
  decided_by: string | null;
  decided_run_id: string | null;
  reason: string | null;
}

export interface EventRow {
  account_id: number;
  id: string;
  external_event_id: string | null;
  event_type: 'lead' | 'trial' | 'milestone' | 'cancellation';
  event_name: string;
  referral_id: string;
  referral_status: ReferralStatus;
  action: string;
  occurred_at: Date;
  import_id: string;
  line: number;
  metadata: Json<Record<string, unknown>> | null;
}

export interface ParkedEventRow {
  account_id: number;
  id: string;
  source_id: string | null;
  program_id: string;
  import_id: string;
  line: number;
  external_event_id: string | null;
  body: string;
  received_at: Date;
}

export interface PayoutBatchRow {
  account_id: number;
  id: string;
  program_id: string;
  period_start: Date;
  period_end: Date;
  currency: string;
  method: PayoutMethod;
  status: BatchStatus;
  prepared_by: string;
  prepared_by_person: Generated<boolean>;
  prepared_run_id: string;
  prepared_at: Date;
  first_approved_by: string | null;
  first_approved_at: Date | null;
  approved_by: string | null;
  approved_at: Date | null;
  exported_at: Date | null;
  export_format: string | null;
  export_files: Json<{ name: string; sha256: string }[]> | null;
}

export interface PayoutRow {
  account_id: number;
  id: string;
  batch_id: string;
  program_id: string;
  affiliate_id: string;
  reference: string;
  amount: bigint;
  currency: string;
  method: PayoutMethod;
  destination: string;
  payee_name: string;
  lines: number;
  status: PayoutStatus;
  status_at: Date;
  status_run_id: string;
  provider_reference: string | null;
  settled_by: string | null;
  reason: string | null;
}

export interface LeftOutRow {
  account_id: number;
  run_id: string;
  program_id: string;
  affiliate_id: string;
  currency: string;
  amount: bigint;
  lines: number;
  reason: LeftOutReason;
}

export interface RefundRow {
  account_id: number;
  id: string;
  conversion_id: string;
  external_id: string;
  /** What it adds to what was taken of the sale; negative where money comes back, zero where it changes nothing. */
  amount: bigint;
  stated_amount: bigint;
  /** What it adds to what refunds, or lost disputes, have taken by their own account. */
  counted: bigint;
  /** Its place among those of the sale, in the order in which they were booked. */
  place: number;
  is_total: boolean;
  currency: string;
  occurred_at: Date;
  occurred_at_given: boolean;
  dispute_id: string | null;
  /** What had been taken for it comes back: for a refund that was made at `made_at`, or for the dispute. */
  gives_back: Generated<boolean>;
  made_at: Date | null;
  /** A person has accepted it. */
  accepted: Generated<boolean>;
  import_id: string;
  line: number;
  /** Why the refund counts no more; null while it counts. */
  taken_back: string | null;
}

export interface ParkedRefundRow {
  account_id: number;
  id: string;
  external_id: string;
  sale_external_id: string;
  amount: bigint;
  is_total: boolean;
  currency: string;
  occurred_at: Date;
  occurred_at_given: boolean;
  gives_back: Generated<boolean>;
  made_at: Date | null;
  accepted: Generated<boolean>;
  import_id: string;
  line: number;
  code: string | null;
}

export interface DisputeRow {
  account_id: number;
  id: string;
  conversion_id: string;
  external_id: string;
  amount: bigint;
  currency: string;
  status: DisputeStatus;
  opened_at: Date | null;
  closed_at: Date | null;
  import_id: string;
  line: number;
}

export interface ParkedDisputeRow {
  account_id: number;
  id: string;
  external_id: string;
  state: DisputeState;
  sale_external_id: string;
  amount: bigint;
  currency: string;
  occurred_at: Date;
  import_id: string;
  line: number;
  code: string | null;
}

export interface AdjustmentRow {
  account_id: number;
  id: string;
  program_id: string;
  affiliate_id: string;
  amount: bigint;
  currency: string;
  reason: string;
  made_by: string;
  made_at: Date;
}

export interface CorrectionRow {
  account_id: number;
  id: string;
  conversion_id: string;
  /** The first of a sale is 1. */
  place: number;
  /** What the sale earns more; signed, in minor units of its commission's currency. */
  earned: bigint;
  /** The version that was accepted, or the import that was undone: one of them. */
  conflict_id: string | null;
  import_id: string | null;
  /** The terms by which the sale earns since; rate and fixed amount are both null where they stay as they were. */
  incentive_id: string | null;
  rate_ppm: number | null;
  fixed_amount: bigint | null;
  overridden: boolean | null;
}

export interface ContactRow {
  account_id: number;
  id: string;
  email: string | null;
  email_folded: string | null;
  phone: string | null;
  phone_folded: string | null;
  first_name: string | null;
  last_name: string | null;
  source: string | null;
  custom_fields: Json<Record<string, unknown>>;
  created_at: Date;
  updated_at: Date;
}

/** A source that a client has made itself. */
export interface RequestSourceRow {
  account_id: number;
  id: string;
  program_id: string;
  name: string;
  created_at: Date;
}

export interface ConversionEntryRow {
  account_id: number;
  id: string;
  program_id: string;
  source_id: string;
  contact_id: string;
  external_id: string;
  key_id: string;
  idempotency_key: string | null;
  /** Null where the entry says nothing of its value. */
  amount: bigint | null;
  currency: string;
  expense: bigint | null;
  occurred_at: Date;
  occurred_at_given: boolean;
  customer_id: string | null;
  customer_email: string | null;
  import_id: string;
  /** Null while nobody is credited. */
  conversion_id: string | null;
  created_at: Date;
}
