import { randomBytes, randomUUID } from 'node:crypto';
import type { Db } from '../../src/db/connect.ts';
import type {
  AffiliateRow,
  CommissionRow,
  CommissionStatus,
  ConversionRow,
  IncentiveRow,
  LedgerAccount,
  ProgramRow,
} from '../../src/db/tables.ts';
import { newId } from '../../src/ids.ts';
import type { Mover } from '../../src/ledger/journal.ts';

/** The day on which tests take place unless they say otherwise. */
export const today = new Date('2026-03-02T03:00:00Z');

let serial = 0;

/** A row factory: an account with whatever a test asks for; every field may be left out. */
export class World {
  readonly db: Db;
  accountId = 0;
  accountRef = '';
  programId = '';
  runId = '';

  private constructor(db: Db) {
    this.db = db;
  }

  /** A new account with one programme (USD, Berlin, 20 %, 30 days) and one run to act under. */
  static async create(db: Db, program: Partial<ProgramRow> = {}): Promise<World> {
    const world = new World(db);
    world.accountRef = `acme-${++serial}-${randomUUID().slice(0, 8)}`;
    const account = await db.sql
      .insertInto('account')
      .values({ id: newId(today), ref: world.accountRef, name: 'Acme Inc.' })
      .returning('account_id')
      .executeTakeFirstOrThrow();
    world.accountId = account.account_id;
    world.programId = await world.program(program);
    world.runId = await world.run();
    return world;
  }

  async program(values: Partial<ProgramRow> = {}): Promise<string> {
    const row: ProgramRow = {
      account_id: this.accountId,
      id: newId(today),
      ref: `main-${++serial}`,
      name: 'Acme Partners',
      currency: 'USD',
      timezone: 'Europe/Berlin',
      hold_days: 30,
      rate_ppm: values.fixed_amount == null ? 200_000 : null,
      fixed_amount: null,
      rounding: 'half_up',
      minimum_payout: 0n,
      payout_every: 'month',
      payout_net_days: 0,
      commission_approval: 'automatic',
      payout_approval: 'automatic',
      retired: false,
      ...values,
    };
    await this.db.sql.insertInto('program').values(row).execute();
    return row.id;
  }

  async incentive(values: Partial<IncentiveRow> = {}): Promise<string> {
    const row: IncentiveRow = {
      account_id: this.accountId,
      id: newId(today),
      program_id: this.programId,
      ref: `incentive-${++serial}`,
      rate_ppm: values.fixed_amount == null ? 300_000 : null,
      fixed_amount: null,
      product_ids: null,
      price_ids: null,
      interval: null,
      subscription_only: false,
      hold_days: null,
      duration_months: null,
      duration_payments: null,
      priority: 0,
      retired: false,
      ...values,
    };
    await this.db.sql.insertInto('incentive').values(row).execute();
    return row.id;
  }

  /** An active affiliate paid by PayPal, found by ref, short code, e-mail and id. */
  async affiliate(values: Partial<AffiliateRow> = {}): Promise<AffiliateRow> {
    const number = ++serial;
    const row: AffiliateRow = {
      account_id: this.accountId,
      id: newId(today),
      ref: `partner-${number}`,
      name: `Partner ${number}`,
      email: `partner-${number}@example.com`,
      short_code: null,
      status: 'active',
      override_ppm: null,
      payout_method: 'paypal',
      payout_destination: `partner-${number}@example.com`,
      created_at: today,
      updated_at: today,
      ...values,
    };
    await this.db.sql.insertInto('affiliate').values(row).execute();
    const names = [row.id, row.ref, row.short_code, row.email].filter((text) => text !== null);
    const keys = [...new Set(names)].map((exact) => ({
      account_id: this.accountId,
      folded: exact.normalize('NFC').toLowerCase(),
      exact,
      affiliate_id: row.id,
    }));
    await this.db.sql.insertInto('affiliate_key').values(keys).execute();
    return row;
  }

  async run(job = 'test'): Promise<string> {
    const id = newId(today);
    await this.db.sql
      .insertInto('run')
      .values({
        account_id: this.accountId,
        id,
        job,
        identity: id,
        slot: null,
        attempt: 1,
        parent_id: null,
        parameters: '{}',
        as_of: today,
        status: 'running',
        lease_until: new Date('2999-01-01T00:00:00Z'),
        runner: 'test',
        started_at: today,
      })
      .execute();
    return id;
  }

  get mover(): Mover {
    return { accountId: this.accountId, runId: this.runId, now: today };
  }

  /**
   * A sale and its commission in any state, with the posting that brings the journal to that state.
   * `commission.amount` in minor units of the programme's currency.
   */
  async sale(
    affiliateId: string,
    commission: Partial<CommissionRow> = {},
    conversion: Partial<ConversionRow> = {},
  ): Promise<string> {
    const id = newId(today);
    const sale: ConversionRow = {
      account_id: this.accountId,
      id,
      program_id: this.programId,
      external_id: `sale-${++serial}`,
      affiliate_id: affiliateId,
      referral_id: null,
      amount: 10_000n,
      occurred_at: new Date('2026-01-10T12:00:00Z'),
      fingerprint: randomBytes(16),
      import_id: randomUUID(),
      line: 2,
      occurred_at_given: true,
      is_subscription: null,
      currency: 'USD',
      sales_status: 'complete',
      interval: null,
      customer_id: null,
      customer_email: null,
      product_ids: null,
      price_ids: null,
      expense: null,
      note: null,
      metadata: null,
      no_commission_reason: null,
      taken_back: null,
      ...conversion,
    };
    await this.db.sql
      .insertInto('conversion')
      .values({ ...sale, metadata: null })
      .execute();
    const row: CommissionRow = {
      account_id: this.accountId,
      id,
      program_id: sale.program_id,
      affiliate_id: affiliateId,
      amount: 2_000n,
      hold_until: new Date('2026-02-09T12:00:00Z'),
      status_at: today,
      status_run_id: this.runId,
      payout_id: null,
      incentive_id: null,
      rate_ppm: 200_000,
      hold_days: 30,
      overridden: false,
      currency: 'USD',
      status: 'pending',
      rounding: 'half_up',
      reason: null,
      fx_rate: null,
      fx_day: null,
      fx_source: null,
      reverses: null,
      ...commission,
    };
    await this.db.sql.insertInto('commission').values(row).execute();
    await this.db.sql
      .insertInto('posting')
      .values({
        account_id: this.accountId,
        id: newId(today),
        run_id: this.runId,
        affiliate_id: affiliateId,
        currency: row.currency,
        movement: 'record',
        from_account: 'earned',
        to_account: ledgerAccountOf(row.status),
        amount: row.amount,
        lines: 1,
        posted_at: today,
      })
      .execute();
    return id;
  }
}

function ledgerAccountOf(status: CommissionStatus): LedgerAccount {
  if (status === 'pending_manual_approval') return 'awaiting';
  return status === 'ready_for_payment' ? 'ready' : status;
}
